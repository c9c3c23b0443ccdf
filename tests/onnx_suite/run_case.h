#pragma once

#include "tests/onnx_suite/prepared.h"

namespace soter::onnx_suite {

// The backend suite's own tolerance: |got - expected| <= kAbsolute + kRelative * |expected|.
inline constexpr double kRelativeTolerance = 1e-3, kAbsoluteTolerance = 1e-7;

enum class Verdict { kPassed, kRefused, kFailed };

struct Outcome {
  SuiteCase suite_case;
  std::vector<std::string> op_types;
  Verdict verdict = Verdict::kFailed;
  Held held = Held::kNothing;
  size_t linear_operators = 0;   // associative operators with constant weights
  bool ran_masked = false;       // also passed in soter, theta = 1
  std::string reason;            // of a refusal or a failure
};

// RunCase imports the case's model and compares every data set in mlcapsule and, where a linear operator is left to
// mask, in soter with theta = 1 on an accelerator in this process.
Outcome RunCase(const SuiteCase& suite_case);

}  // namespace soter::onnx_suite
