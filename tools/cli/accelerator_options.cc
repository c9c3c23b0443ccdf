#include "tools/cli/accelerator_options.h"

namespace soter {

namespace {

std::vector<std::string> PrecisionNames() {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(wire::Arithmetic::kLast); ++i) {
    names.push_back(wire::ArithmeticName(static_cast<wire::Arithmetic>(i)));
  }
  return names;
}

}  // namespace

CLI::Validator PrecisionOption() { return CLI::IsMember(PrecisionNames()); }

wire::Arithmetic PrecisionFromName(const std::string& name) {
  std::vector<std::string> names = PrecisionNames();
  auto found = std::ranges::find(names, name);
  CHECK(found != names.end(), "the option parser lets only known names pass");
  return static_cast<wire::Arithmetic>(found - names.begin());
}

void AddAcceleratorOptions(CLI::App& command, AcceleratorOptions& options) {
  command.add_option("--precision", options.precision, "of the accelerator's products; others than fp32 need a GPU")
      ->check(PrecisionOption())
      ->capture_default_str();
  command.add_option("--worker-kind", options.worker_kind,
                     "what computes at the address that --worker gives; results of a GPU have bounds of their own [cpu]")
      ->check(CLI::IsMember({"cpu", "gpu"}));
  command.add_option("--on-exhausted", options.on_exhausted,
                     "what the accelerator has no room for is computed in the enclave, or the run refused")
      ->check(CLI::IsMember({"enclave", "refuse"}))
      ->capture_default_str();
}

void Apply(const AcceleratorOptions& options, control::Settings& settings) {
  settings.precision = PrecisionFromName(options.precision);
  settings.worker_kind = options.worker_kind == "gpu" ? control::WorkerKind::kGpu : control::WorkerKind::kCpu;
  settings.on_exhausted =
      options.on_exhausted == "refuse" ? control::OnExhausted::kRefuse : control::OnExhausted::kEnclave;
}

}  // namespace soter
