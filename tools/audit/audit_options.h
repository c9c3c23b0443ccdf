#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/attacks/attack.h"

namespace soter::audit {

// AuditOptions is what the user asked for.
struct AuditOptions {
  std::string report;                       // directory
  std::vector<std::string> schemes = {"insecure", "soter", "aegisdnn", "ennclave", "mlcapsule"};
  std::vector<std::string> attacks;         // names; empty: all
  std::vector<std::string> victims = {"digits", "glyphs", "text"};
  std::string victims_directory;            // where trained victims are kept; empty: inside the report
  std::vector<double> thetas = {0.2, 0.5, 0.8, 1};  // of the schemes that have one
  std::string check;                        // of schemes that have one; empty: their own
  size_t queries = 64;
  uint64_t seed = 1;
  bool steal = true;                        // train substitutes
  std::vector<size_t> budgets;              // queries that they are trained with; empty: what each victim suggests
  size_t seeds = 3;                         // substitutes trained for each point
  bool small = false;
  std::vector<std::string> views;           // recordings of others, one for each load
  std::string ancestor, truth;              // for them: ONNX files; truth may be empty
  std::string attack_program;
};

// ChosenAttacks are those named, or all. Errors: kInvalidArgument, listing what there is.
Result<std::vector<Attack>> ChosenAttacks(const AuditOptions& options);

}  // namespace soter::audit
