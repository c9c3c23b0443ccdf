#include <memory>

#include "tools/cli/bench_integrity.h"
#include "tools/cli/bench_measure.h"
#include "tools/cli/bench_options.h"
#include "tools/cli/commands.h"

namespace soter {

namespace {

Status Bench(const BenchOptions& options) {
  if (options.integrity) return BenchIntegrity(options);
  return BenchSchemes(options);
}

void AddWhatIsMeasured(CLI::App& command, BenchOptions& options) {
  command.add_option("--models", options.models, "networks of the zoo or ONNX files")->delimiter(',')->capture_default_str();
  command.add_option("--schemes", options.schemes, "which schemes are compared")->delimiter(',');
  command.add_option("--theta", options.thetas, "offloaded shares for soter")
      ->delimiter(',')->check(Fraction())->capture_default_str();
  command.add_option("--batch", options.batches, "batch sizes")
      ->delimiter(',')->check(CLI::Range(1u, 4096u))->capture_default_str();
  command.add_option("--input-size", options.input_sizes, "edge lengths of square images [the model's own]")
      ->delimiter(',')->check(CLI::Range(1u, 8192u));
  command.add_option("--dim", options.dims, "SYMBOL=EXTENT of a symbolic dimension, such as a sequence's length [1]")
      ->delimiter(',');
  AddCheckOption(command, "--check", options.check, "of the schemes that check results [the scheme's own]");
  command.add_option("--public", options.public_model, "the public model that ennclave's accelerator runs");
}

void AddHowItIsMeasured(CLI::App& command, BenchOptions& options) {
  command.add_option("--rounds", options.rounds, "how often each measurement is taken anew, in turns with the others")
      ->check(CLI::Range(1u, 1000u))->capture_default_str();
  command.add_option("--repeat", options.repeat, "inferences that count in each round")
      ->check(CLI::Range(1u, 100'000u))->capture_default_str();
  command.add_option("--warm-up", options.warm_up, "inferences before them that do not")
      ->check(CLI::Range(0u, 1000u))->capture_default_str();
  command.add_flag("!--no-predict", options.predict, "do not predict latencies before the first round");
  command.add_option("--deadline-ms", options.deadline_ms, "aegisdnn: protect as much as this latency allows")
      ->check(CLI::PositiveNumber);
  command.add_option("--sdc-rate", options.sdc_rate, "aegisdnn without a deadline: the rate of harmful faults to stay below")
      ->check(CLI::Range(0.0, 1.0))->capture_default_str();
  command.add_option("--fault-rounds", options.fault_rounds, "aegisdnn: faults injected in each layer, at most")
      ->check(CLI::Range(1u, 100'000u))->capture_default_str();
  command.add_option("--accelerator-model", options.accelerator_model,
                     "model an accelerator of this speed: 10x, or tflops=13.4,gbps=12,latency-us=20; figures are then modelled")
      ->check(AcceleratorSpeedText());
  command.add_option("--worker", options.worker, "auto, cpu, cuda, unix:PATH or HOST:PORT")->capture_default_str();
  AddAcceleratorOptions(command, options.accelerator);
  command.add_option("--threads", options.threads, "of each side [as many as there are cores]")->check(CLI::Range(1u, 1024u));
}

}  // namespace

void AddBenchCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Measure and compare the schemes; writes a report.");
  command->add_option("--report", options->report, "the directory that the report goes to")->required();
  AddWhatIsMeasured(*command, *options);
  AddHowItIsMeasured(*command, *options);
  command->add_option("--compare", options->compare, "an earlier report.json: print what changed since");
  command->add_option("--audit-json", options->audit_json, "what soter audit found on the claims C6 and C7");
  command->add_option("--integrity-json", options->integrity_json, "what soter bench --integrity found on C8 and C9");
  command->add_flag("--integrity", options->integrity, "measure what checks cost and what they catch instead");
  command->callback([options, &chosen] { chosen.run = [options] { return Bench(*options); }; });
}

}  // namespace soter
