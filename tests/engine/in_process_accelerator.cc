#include "tests/engine/in_process_accelerator.h"

#include <cstring>

namespace soter {

Status InProcessAccelerator::LoadWeight(WeightId id, TensorView weight) {
  if (weight.bytes.size() > record_.room_bytes) return Exhausted("it says: full");
  record_.room_bytes -= record_.room_bytes == SIZE_MAX ? 0 : weight.bytes.size();
  Tensor copy = TRY(Tensor::Allocate(weight.type));
  if (!weight.bytes.empty()) std::memcpy(copy.mutable_bytes().data(), weight.bytes.data(), weight.bytes.size());
  if (record_.keeps) record_.weights.push_back(copy.Clone());
  weights_[id] = std::make_shared<const Tensor>(std::move(copy));
  return {};
}

Result<std::vector<Refusal>> InProcessAccelerator::LoadSegments(std::span<const Segment> segments) {
  loaded_.clear();
  record_.asked.clear();
  std::vector<Refusal> refusals;
  for (const Segment& segment : segments) {
    record_.asked.push_back(segment.arithmetic);
    if (record_.refuses && record_.refuses(segment)) {
      refusals.push_back({segment.id, Exhausted("it says: no room for buffers")});
      continue;
    }
    std::vector<Shape> shapes;
    for (const TensorType& type : segment.input_types) shapes.push_back(type.shape);
    StaticGraph graph = TRY(Bind(TRY(ValidatedGraph::Validate(segment.graph)), shapes));
    auto source = [this](const Initializer& initializer) -> Result<std::shared_ptr<const Tensor>> {
      return initializer.data != nullptr ? initializer.data : weights_.at(initializer.weight);
    };
    Loaded loaded{TRY(Program::Compile(graph, source, {.threads = record_.threads, .input_layouts = segment.input_layouts,
                                                       .output_layouts = segment.output_layouts})), segment, {}, {}};
    for (size_t i = 0; i < segment.input_types.size(); ++i)
      loaded.inputs.emplace_back(TRY(LaidOutBytes(segment.input_types[i], segment.input_layouts[i])));
    for (size_t i = 0; i < segment.output_types.size(); ++i)
      loaded.outputs.emplace_back(TRY(LaidOutBytes(segment.output_types[i], segment.output_layouts[i])));
    loaded_.push_back(std::move(loaded));
  }
  return refusals;
}

Status InProcessAccelerator::Forget() {
  weights_.clear();
  loaded_.clear();
  return {};
}

std::span<std::byte> InProcessAccelerator::InputBuffer(uint32_t segment, size_t index) {
  return loaded_[segment].inputs[index].bytes();
}

Status InProcessAccelerator::Start(uint32_t segment, Deadline) {
  Loaded& loaded = loaded_[segment];
  ++record_.starts;
  record_.awaited.clear();
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
  for (Buffer& buffer : loaded.inputs) {
    inputs.push_back(buffer.bytes().data());
    if (record_.keeps) record_.inputs.emplace_back(buffer.bytes().begin(), buffer.bytes().end());
  }
  for (Buffer& buffer : loaded.outputs) outputs.push_back(buffer.bytes().data());
  TRY(loaded.program.Run(inputs, outputs));
  for (size_t i = 0; i < loaded.outputs.size(); ++i)
    if (record_.tamper) record_.tamper(segment, i, loaded.outputs[i].bytes());
  return {};
}

Result<UntrustedTensor> InProcessAccelerator::Await(uint32_t segment, size_t index, Deadline) {
  const Loaded& loaded = loaded_[segment];
  record_.awaited.push_back(index);
  return UntrustedTensor{loaded.segment.output_types[index], loaded.segment.output_layouts[index], loaded.outputs[index].bytes()};
}

}  // namespace soter
