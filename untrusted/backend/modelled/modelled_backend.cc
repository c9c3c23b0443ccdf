#include "untrusted/backend/modelled/modelled_backend.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "common/graph/op_traits.h"

namespace soter {

namespace {

constexpr size_t kKnownAnswers = 2;             // per segment: a run with random inputs beside one that is repeated
constexpr double kSpinMs = 0.08;                // a sleeper wakes that much too late, at most
constexpr double kNever = 1e300;

// Multiply-adds of all nodes up to the one that makes each output.
std::vector<double> MulAddsUpToOutputs(const StaticGraph& graph) {
  std::unordered_map<ValueId, double> done;
  double sum = 0;
  for (const Node& node : graph.graph().nodes) {
    sum += static_cast<double>(MulAdds(graph, node));
    for (ValueId value : node.outputs) done[value] = sum;
  }
  std::vector<double> up_to;
  for (ValueId value : graph.graph().outputs) up_to.push_back(done[value]);
  return up_to;
}

std::vector<size_t> Bytes(std::span<const wire::Port> ports) {
  std::vector<size_t> bytes;
  for (const wire::Port& port : ports) bytes.push_back(LaidOutBytes(port.type, port.layout).value());
  return bytes;
}

void WaitUntil(std::chrono::steady_clock::time_point due) {
  std::this_thread::sleep_until(due - std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::duration<double, std::milli>(kSpinMs)));
  while (std::chrono::steady_clock::now() < due) {
  }
}

}  // namespace

BackendInfo ModelledBackend::info() const {
  BackendInfo info = computes_->info();
  info.device = "modelled, " + speed_text_ + ", computed by " + info.name + " (" + info.device + ")";
  info.name = "modelled";
  return info;
}

Status ModelledBackend::LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                                    std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) {
  TRY(computes_->LoadSegment(segment, graph, arithmetic, inputs, outputs));
  Modelled modelled{.input_bytes = Bytes(inputs), .output_bytes = Bytes(outputs), .mul_adds = MulAddsUpToOutputs(graph)};
  modelled.computed_ms.assign(outputs.size(), kNever);
  segments_.insert_or_assign(segment, std::move(modelled));
  return {};
}

void ModelledBackend::DropSegments() {
  segments_.clear();
  computes_->DropSegments();
}

const ModelledBackend::Known* ModelledBackend::Find(const Modelled& segment,
                                                    std::span<const std::byte* const> inputs) const {
  for (const Known& known : segment.known) {
    bool same = true;
    for (size_t i = 0; i < inputs.size() && same; ++i)
      same = std::equal(known.inputs[i].bytes().begin(), known.inputs[i].bytes().end(), inputs[i]);
    if (same) return &known;
  }
  return nullptr;
}

Status ModelledBackend::Compute(uint32_t id, Modelled& segment, std::span<const std::byte* const> inputs,
                                std::span<std::byte* const> outputs) {
  Clock::time_point start = Clock::now();
  return computes_->Run(id, inputs, outputs, [&](size_t output) {
    double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    segment.computed_ms[output] = std::min(segment.computed_ms[output], ms);
  });
}

Status ModelledBackend::Remember(Modelled& segment, std::span<const std::byte* const> inputs,
                                 std::span<std::byte* const> outputs) const {
  Known known;
  auto copy = [](const std::byte* source, size_t size_bytes) -> Result<Buffer> {
    Buffer buffer = TRY(TryBuffer(size_bytes));
    if (size_bytes > 0) std::memcpy(buffer.bytes().data(), source, size_bytes);
    return buffer;
  };
  for (size_t i = 0; i < inputs.size(); ++i) known.inputs.push_back(TRY(copy(inputs[i], segment.input_bytes[i])));
  for (size_t i = 0; i < outputs.size(); ++i) known.outputs.push_back(TRY(copy(outputs[i], segment.output_bytes[i])));
  if (segment.known.size() == kKnownAnswers) segment.known.erase(segment.known.begin());
  segment.known.push_back(std::move(known));
  return {};
}

std::vector<double> ModelledBackend::ReadyTimes(const Modelled& segment) const {
  auto link_ms = [&](size_t bytes) { return speed_.gbps > 0 ? static_cast<double>(bytes) / (speed_.gbps * 1e6) : 0; };
  double started = speed_.latency_us / 1000, link_free = 0;
  for (size_t bytes : segment.input_bytes) started += link_ms(bytes);
  std::vector<double> ready;
  for (size_t i = 0; i < segment.output_bytes.size(); ++i) {
    double compute = speed_.times_cpu > 0 ? segment.computed_ms[i] / speed_.times_cpu
                                          : 2 * segment.mul_adds[i] / (speed_.tflops * 1e9);
    link_free = std::max(link_free, started + compute) + link_ms(segment.output_bytes[i]);
    ready.push_back(link_free);
  }
  return ready;
}

Status ModelledBackend::Run(uint32_t segment, std::span<const std::byte* const> inputs,
                            std::span<std::byte* const> outputs, const std::function<void(size_t)>& on_output) {
  Clock::time_point start = Clock::now();
  Modelled& modelled = segments_.at(segment);
  const Known* known = Find(modelled, inputs);
  if (known == nullptr) {
    // Twice, since the first run meets cold caches, which would slow the model for good.
    for (int i = 0; i < 2; ++i) TRY(Compute(segment, modelled, inputs, outputs));
    TRY(Remember(modelled, inputs, outputs));
    for (size_t i = 0; i < outputs.size(); ++i) on_output(i);
    return {};
  }
  std::vector<double> ready = ReadyTimes(modelled);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (modelled.output_bytes[i] > 0) std::memcpy(outputs[i], known->outputs[i].bytes().data(), modelled.output_bytes[i]);
    WaitUntil(start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(ready[i])));
    on_output(i);
  }
  return {};
}

}  // namespace soter
