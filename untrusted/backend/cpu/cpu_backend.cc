#include "untrusted/backend/cpu/cpu_backend.h"

#include <fstream>

namespace soter {

namespace {

// DeviceName is the processor's own name for itself, where the system tells it.
std::string DeviceName() {
  constexpr std::string_view kKey = "model name";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    size_t colon = line.find(": ");
    if (line.starts_with(kKey) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

std::vector<Layout> Layouts(std::span<const wire::Port> ports) {
  std::vector<Layout> layouts;
  for (const wire::Port& port : ports) layouts.push_back(port.layout);
  return layouts;
}

}  // namespace

BackendInfo CpuBackend::info() const {
  return {.name = "cpu", .device = DeviceName(), .arithmetics = {wire::Arithmetic::kFloat32}};
}

Status CpuBackend::LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) {
  weights_[id] = std::move(weight);
  return {};
}

Status CpuBackend::LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                               std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) {
  if (arithmetic != wire::Arithmetic::kFloat32) return Unsupported("the CPU backend computes in float32 only");
  auto weight_of = [this](const Initializer& initializer) -> Result<std::shared_ptr<const Tensor>> {
    if (initializer.data != nullptr) return initializer.data;
    auto found = weights_.find(initializer.weight);
    CHECK(found != weights_.end(), "the worker checks weight ids");
    return found->second;
  };
  ProgramOptions options{.threads = static_cast<int>(threads_),
                         .input_layouts = Layouts(inputs),
                         .output_layouts = Layouts(outputs)};
  programs_.insert_or_assign(segment, TRY(Program::Compile(graph, weight_of, options)));
  return {};
}

Status CpuBackend::Run(uint32_t segment, std::span<const std::byte* const> inputs,
                       std::span<std::byte* const> outputs, const std::function<void(size_t)>& on_output) {
  auto found = programs_.find(segment);
  CHECK(found != programs_.end(), "the worker checks segment ids");
  return found->second.Run(inputs, outputs, on_output);
}

}  // namespace soter
