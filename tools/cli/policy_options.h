#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "tools/cli/inputs.h"
#include "tools/cli/session.h"

namespace soter {

// PolicyOptions are those that decide who computes what, beyond scheme, theta and check.
struct PolicyOptions {
  std::string objective = "policy";
  std::string placement;             // a plan as JSON; empty: none
  std::string public_model;          // of ennclave
  InputOptions samples;              // of aegisdnn
};

void AddPolicyOptions(CLI::App& command, PolicyOptions& options, control::Settings& settings);

// ApplyPolicyOptions reads what the options name and completes `settings`, whose scheme is set.
// Errors: kInvalidArgument (a file that is no plan; --public missing or without a use).
Status ApplyPolicyOptions(const PolicyOptions& options, control::Settings& settings);

// NeedsWorkerToPlan: a plan under `settings` depends on how fast the accelerator is.
bool NeedsWorkerToPlan(const control::Settings& settings);

// SendPublicModel goes before the model, under ennclave alone; does nothing under other schemes.
// Errors: those of LoadModel and EnclaveSession.
Status SendPublicModel(const PolicyOptions& options, const control::Settings& settings, EnclaveSession& session,
                       Progress* progress);

// ChooseSamples returns the inputs to inject faults with, none where none are named.
// Errors: those of ChooseInputs.
Result<std::vector<Tensor>> ChooseSamples(const PolicyOptions& options, const Graph& inputs);

}  // namespace soter
