#include "tools/cli/options.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/wire/control_codec.h"
#include "untrusted/backend/modelled/speed.h"

namespace soter {

namespace {

constexpr std::array kSchemeNames = {"insecure", "verified", "mlcapsule", "aegisdnn", "ennclave", "soter"};
constexpr std::array kCheckNames = {"none", "fingerprint", "freivalds"};

template <typename Enum, size_t N>
Enum FromName(const std::array<const char*, N>& names, const std::string& name) {
  auto found = std::find(names.begin(), names.end(), name);
  CHECK(found != names.end(), "the option parser lets only known names pass");
  return static_cast<Enum>(found - names.begin());
}

// DefaultCheck is what a scheme checks unless it is told otherwise: every result, except for the published baselines.
control::Check DefaultCheck(control::Scheme scheme) {
  bool checks = scheme == control::Scheme::kVerified || scheme == control::Scheme::kSoter;
  return checks ? control::Check::kFreivalds : control::Check::kNone;
}

uint32_t CoreCount() {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&cores)));
}

}  // namespace

const char* SchemeName(control::Scheme scheme) { return kSchemeNames[static_cast<size_t>(scheme)]; }
const char* CheckName(control::Check check) { return kCheckNames[static_cast<size_t>(check)]; }
control::Scheme SchemeFromName(const std::string& name) { return FromName<control::Scheme>(kSchemeNames, name); }
control::Check CheckFromName(const std::string& name) { return FromName<control::Check>(kCheckNames, name); }
bool UsesWorker(control::Scheme scheme) { return scheme != control::Scheme::kMlcapsule; }

CLI::Option* AddSchemeOption(CLI::App& command, const std::string& flag, std::string& name, const std::string& help) {
  return command.add_option(flag, name, help)
      ->check(CLI::IsMember(std::vector<std::string>(kSchemeNames.begin(), kSchemeNames.end())));
}

CLI::Option* AddCheckOption(CLI::App& command, const std::string& flag, std::string& name, const std::string& help) {
  return command.add_option(flag, name, help)
      ->check(CLI::IsMember(std::vector<std::string>(kCheckNames.begin(), kCheckNames.end())));
}

CLI::Validator Fraction() {
  return CLI::Validator(
      [](std::string& text) {
        double value = 0;
        bool valid = CLI::detail::lexical_cast(text, value) && value >= 0 && value <= 1;
        return valid ? std::string() : "\"" + text + "\" is not a number from 0 to 1";
      },
      "0 to 1");
}

CLI::Validator AcceleratorSpeedText() {
  return CLI::Validator(
      [](std::string& text) {
        Result<AcceleratorSpeed> speed = ParseSpeed(text);
        return speed.ok() ? std::string() : speed.error().message;
      },
      "SPEED");
}

void AddModelOption(CLI::App& command, std::string& model) {
  command.add_option("MODEL", model, "an ONNX file")->required();
}

void AddKeyOptions(CLI::App& command, KeyOptions& options) {
  command.add_option("--identity", options.identity,
                     "the age identity file that opens a sealed model; only the development TEE takes a key this way");
  command.add_option("--signer", options.signer, "the minisign public key that a sealed model must be signed with");
  CLI::Option* identity = command.get_option("--identity");
  CLI::Option* broker = command
                            .add_option("--broker", options.broker,
                                        "https://HOST[:PORT][/PATH]: the broker from which the enclave gets the key")
                            ->excludes(identity);
  CLI::Option* ca = command
                        .add_option("--broker-ca", options.broker_ca,
                                    "the broker's certificate, or that of who signed it, in PEM; no other is believed")
                        ->needs(broker);
  broker->needs(ca);
  command
      .add_option("--lease", options.lease,
                  "where the enclave keeps what it was released, for as many starts without the broker as that allows")
      ->excludes(identity);
  command.add_option("--broker-resource", options.resource, "REPO/TYPE/TAG [models/NAME/VERSION of the model]")
      ->needs(broker);
  command.add_option("--kbs-version", options.kbs_version, "the version of the key broker protocol that it speaks")
      ->needs(broker)
      ->capture_default_str();
  command.add_option("--broker-timeout-ms", options.broker_timeout_ms, "the longest wait for one answer of the broker")
      ->check(CLI::Range(1u, 600'000u))
      ->needs(broker)
      ->capture_default_str();
  command.add_flag("--sample-evidence", options.sample_evidence,
                   "for tests against Trustee: claim to be its sample TEE, which proves nothing")
      ->needs(broker);
}

void AddSchemeOptions(CLI::App& command, SchemeOptions& options) {
  control::Settings& settings = options.settings;
  AddSchemeOption(command, "--scheme", options.scheme, "who computes what, under which mask")->capture_default_str();
  command.add_option("--theta", settings.theta, "share of the linear operators that is offloaded, 0 to 1")
      ->check(Fraction())
      ->capture_default_str();
  AddCheckOption(command, "--check", options.check, "how the accelerator's results are checked [the scheme's own]");
  command
      .add_option("--fingerprint-rate", settings.fingerprint_rate, "fingerprints in a request, as a share of its rows, rounded up")
      ->check(Fraction())
      ->capture_default_str();
  command.add_option("--cornerstones", settings.cornerstones, "known answers per operator that fingerprints combine")
      ->check(CLI::Range(1u, control::kMaxCornerstones))
      ->capture_default_str();
  AddPolicyOptions(command, options.policy, settings);
  command.add_option("--worker", options.worker, "auto, cpu, cuda, cuda:N, unix:PATH or HOST:PORT")->capture_default_str();
  AddAcceleratorOptions(command, options.accelerator);
  command.add_option("--accelerator-model", options.accelerator_model,
                     "have the worker answer as late as an accelerator of this speed would: 10x, or "
                     "tflops=13.4,gbps=12,latency-us=20; figures are then modelled")
      ->check(AcceleratorSpeedText());
  AddEnclaveOptions(command, options);
  command.add_option("--threads", options.threads, "of each side [as many as there are cores]")
      ->check(CLI::Range(1u, control::kMaxThreads));
  command.add_option("--timeout-ms", settings.timeout_ms, "the longest wait for one answer of the accelerator")
      ->check(CLI::Range(1u, 86'400'000u))
      ->capture_default_str();
  options.seed_option = command.add_option("--seed", options.seed, "for tests: makes all secrets repeatable");
  command.add_flag("--force-unit-scales", settings.force_unit_scales)->group("");  // shows that the leak test works
}

void AddEnclaveOptions(CLI::App& command, SchemeOptions& options) {
  CLI::Option* apart =
      command.add_option("--enclave", options.enclave,
                     "HOST:PORT to wait at for a soter-enclave that is started apart, in a TEE [starts its own]");
  CLI::Option* policy = command.add_option("--enclave-policy", options.enclave_policy,
                                           "what the enclave must prove first: a policy of soter verify");
  command
      .add_option("--enclave-collateral", options.enclave_collateral,
                  "collateral for it, as soter verify takes; may be repeated")
      ->allow_extra_args(false)
      ->needs(policy);
  command
      .add_option("--dev-key", options.dev_key,
                  "the key with which the development TEE signs its evidence [one that it makes up]")
      ->excludes(apart);
}

void AddInputOptions(CLI::App& command, InputOptions& options) {
  command.add_option("--input", options.files,
                     "NAME=FILE.npy, once for each input; FILE.npy where there is one input");
  command.add_flag("--random", options.random, "standard normal inputs (integers 0 to 9), the same at every run");
  command.add_option("--random-seed", options.random_seed, "other random inputs")->capture_default_str();
  command.add_option("--dim", options.dims, "SYMBOL=EXTENT, for a symbolic dimension that no file fixes [1]");
}

Result<EnclaveOptions> MakeEnclaveOptions(const SchemeOptions& options) {
  EnclaveOptions session{.settings = options.settings, .worker = options.worker, .enclave = options.enclave};
  session.enclave_policy = options.enclave_policy;
  session.enclave_collateral = options.enclave_collateral;
  session.dev_key = options.dev_key;
  control::Settings& settings = session.settings;
  settings.scheme = SchemeFromName(options.scheme);
  settings.check =
      options.check.empty() ? DefaultCheck(settings.scheme) : CheckFromName(options.check);
  Apply(options.accelerator, settings);
  TRY(ApplyPolicyOptions(options.policy, settings));
  settings.threads = settings.worker_threads = options.threads == 0 ? CoreCount() : options.threads;
  if (options.seed_option != nullptr && options.seed_option->count() > 0) settings.seed = options.seed;
  if (settings.seed.has_value()) {
    std::fputs("soter: WARNING: --seed makes every secret of this run repeatable; it protects nothing\n", stderr);
  }
  if (settings.force_unit_scales) {
    std::fputs("soter: WARNING: --force-unit-scales gives the accelerator the plaintext weights\n", stderr);
  }
  session.needs_worker = UsesWorker(settings.scheme);
  session.accelerator_model = options.accelerator_model;
  return session;
}

}  // namespace soter
