#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tools/cli/accelerator_options.h"
#include "tools/cli/inputs.h"
#include "tools/cli/policy_options.h"
#include "tools/cli/session.h"

namespace soter {

// Command is what the user asked for; set by the subcommand that was chosen, run by main.
struct Command {
  std::function<Status()> run;
  std::function<int()> serve;  // in its place: a program of its own, which handles signals and returns an exit code
};

// KeyOptions open a sealed model: with a key at hand, or with one that the enclave gets itself.
struct KeyOptions {
  std::string identity, signer;
  std::string broker, broker_ca, lease, resource;
  std::string kbs_version = "0.4.0";
  uint32_t broker_timeout_ms = 10'000;
  bool sample_evidence = false;

  bool any() const { return !(identity.empty() && signer.empty() && broker.empty() && lease.empty()); }
};

// SchemeOptions are the options that run, plan and view share.
struct SchemeOptions {
  std::string model;
  KeyOptions keys;
  std::string scheme = "soter";
  std::string check;  // empty: the scheme's own
  std::string worker = "auto";
  std::string enclave;  // empty: started here
  std::string enclave_policy, dev_key;
  std::vector<std::string> enclave_collateral;
  AcceleratorOptions accelerator;
  std::string accelerator_model;  // empty: the accelerator there is
  control::Settings settings;
  uint32_t threads = 0;  // 0: as many as there are cores
  uint64_t seed = 0;
  CLI::Option* seed_option = nullptr;
  PolicyOptions policy;
  InputOptions inputs;
  bool json = false;
};

void AddModelOption(CLI::App& command, std::string& model);
void AddKeyOptions(CLI::App& command, KeyOptions& options);
void AddSchemeOptions(CLI::App& command, SchemeOptions& options);
// AddEnclaveOptions are the options of AddSchemeOptions that say which enclave, and what it must prove.
void AddEnclaveOptions(CLI::App& command, SchemeOptions& options);
void AddInputOptions(CLI::App& command, InputOptions& options);

// AddSchemeOption and AddCheckOption take a name that SchemeFromName or CheckFromName knows.
CLI::Option* AddSchemeOption(CLI::App& command, const std::string& flag, std::string& name, const std::string& help);
CLI::Option* AddCheckOption(CLI::App& command, const std::string& flag, std::string& name, const std::string& help);
control::Scheme SchemeFromName(const std::string& name);
control::Check CheckFromName(const std::string& name);

// Fraction accepts 0 to 1; unlike CLI::Range it refuses NaN.
CLI::Validator Fraction();

// AcceleratorSpeedText accepts what ParseSpeed reads.
CLI::Validator AcceleratorSpeedText();

// MakeEnclaveOptions turns options into a session's. Warns on standard error where secrets become repeatable.
// Errors: those of ApplyPolicyOptions.
Result<EnclaveOptions> MakeEnclaveOptions(const SchemeOptions& options);

const char* SchemeName(control::Scheme scheme);
const char* CheckName(control::Check check);

// UsesWorker: the scheme has an accelerator.
bool UsesWorker(control::Scheme scheme);

}  // namespace soter
