#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "common/wire/control.h"

namespace soter {

// AcceleratorOptions say how the accelerator computes, and what becomes of what it does not take.
struct AcceleratorOptions {
  std::string precision = "fp32";
  std::string worker_kind;  // of a worker at an address; empty: cpu
  std::string on_exhausted = "enclave";
};

void AddAcceleratorOptions(CLI::App& command, AcceleratorOptions& options);
void Apply(const AcceleratorOptions& options, control::Settings& settings);

// PrecisionOption takes names that PrecisionFromName knows: fp32, tf32, fp16, fp64.
CLI::Validator PrecisionOption();
wire::Arithmetic PrecisionFromName(const std::string& name);

}  // namespace soter
