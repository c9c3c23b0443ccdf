#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/wire/control.h"
#include "trusted/attest/verify/verify.h"

namespace soter {

// RunSummary is all that is told of a run.
struct RunSummary {
  std::string model, tee;
  control::Settings settings;
  control::RunReport report;
  std::optional<EvidenceClaims> attested;  // what the enclave proved; nothing where it was not asked to
  std::vector<std::string> output_files;   // one for each output; empty where none was written
};

// RunAsText is the report for a person, RunAsJson the one for a program (README.md); both end with a line end.
std::string RunAsText(const RunSummary& summary);
std::string RunAsJson(const RunSummary& summary);

// TeeLine says what the TEE protects, for a person: the development TEE protects nothing.
std::string TeeLine(const std::string& tee);

}  // namespace soter
