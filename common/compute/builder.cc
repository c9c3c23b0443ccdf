#include "common/compute/builder.h"

#include <algorithm>

#include "common/compute/layout.h"
#include "common/compute/onednn.h"

namespace soter::compute {

Builder::Builder(const StaticGraph& graph, const WeightSource& weights, const ProgramOptions& options)
    : graph_(graph), weights_(weights), options_(options) {
  const Graph& g = graph.graph();
  size_t values = g.value_names.size();
  versions_.resize(values);
  outputs_of_.resize(values);
  wanted_.resize(values);
  uses_left_.resize(values);
  delivered_.resize(g.outputs.size());
  for (size_t i = 0; i < g.inputs.size(); ++i) {
    Layout layout = options.input_layouts.empty() ? Layout::kDense : options.input_layouts[i];
    ValueId value = g.inputs[i].value;
    BufferId buffer = NewBuffer(Home::kInput, static_cast<uint32_t>(i), StorageBytes(type(value), layout));
    versions_[value].push_back({layout, buffer});
  }
  for (size_t i = 0; i < g.outputs.size(); ++i) outputs_of_[g.outputs[i]].push_back(i);
  for (const Node& node : g.nodes) {
    for (ValueId value : node.inputs) {
      if (value != kNoValue) ++uses_left_[value];
    }
  }
}

bool Builder::TakeSpare(size_t extra_bytes) {
  if (options_.spare_bytes == nullptr) return true;
  if (extra_bytes > *options_.spare_bytes) return false;
  *options_.spare_bytes -= extra_bytes;
  return true;
}

BufferId Builder::NewBuffer(Home home, uint32_t index, size_t size_bytes) {
  BufferId id = static_cast<BufferId>(buffers_.size());
  buffers_.push_back({home, index, size_bytes, id});
  return id;
}

BufferId Builder::Keep(Buffer buffer) {
  packed_.push_back(std::move(buffer));
  constants_.push_back(packed_.back().bytes().data());
  return NewBuffer(Home::kConstant, static_cast<uint32_t>(constants_.size() - 1), packed_.back().size());
}

Layout Builder::LayoutOf(ValueId value) const {
  return versions_[value].empty() ? Layout::kDense : versions_[value].front().layout;
}

Result<std::shared_ptr<const Tensor>> Builder::Fetch(ValueId value) {
  std::shared_ptr<const Tensor> tensor;
  if (auto found = fetched_.find(value); found != fetched_.end()) {
    tensor = found->second;
  } else {
    const Initializer* initializer = graph_.initializer(value);
    if (initializer == nullptr) return Unsupported("weights must be constants");
    tensor = TRY(weights_(*initializer));
    if (tensor == nullptr || tensor->type() != initializer->type)
      return InvalidArgument("the weight source gave an initializer of another type than " +
                             TypeString(initializer->type));
  }
  if (--uses_left_[value] == 0) fetched_.erase(value);
  else fetched_[value] = tensor;
  return tensor;
}

Result<const Tensor*> Builder::Constant(ValueId value) const {
  const Tensor* tensor = graph_.constant(value);
  if (tensor == nullptr) return Unsupported("an operand that must be constant is computed");
  return tensor;
}

Result<std::vector<int64_t>> Builder::Integers(ValueId value) const {
  const Tensor* tensor = TRY(Constant(value));
  auto copy = [](auto values) { return std::vector<int64_t>(values.begin(), values.end()); };
  if (tensor->dtype() == DType::kInt64) return copy(tensor->As<int64_t>());
  if (tensor->dtype() == DType::kInt32) return copy(tensor->As<int32_t>());
  return Unsupported(std::string("an operand of integers has type ") + DTypeName(tensor->dtype()));
}

// ReadConstant gives an initializer a buffer of its own, as it is.
Status Builder::ReadConstant(ValueId value) {
  std::shared_ptr<const Tensor> tensor;
  if (graph_.initializer(value) != nullptr) {
    ++uses_left_[value];  // the versions made here serve every later use
    tensor = TRY(Fetch(value));
  } else {
    tensor = std::make_shared<const Tensor>(TRY(Constant(value))->Clone());
  }
  tensors_.push_back(tensor);
  constants_.push_back(const_cast<std::byte*>(tensor->bytes().data()));  // no step writes to a constant
  BufferId buffer = NewBuffer(Home::kConstant, static_cast<uint32_t>(constants_.size() - 1), tensor->bytes().size());
  versions_[value].push_back({Layout::kDense, buffer});
  return {};
}

Result<BufferId> Builder::Read(ValueId value, Layout layout) {
  if (versions_[value].empty()) TRY(ReadConstant(value));
  if (!wanted_[value]) wanted_[value] = layout;
  std::vector<Version>& versions = versions_[value];
  for (const Version& version : versions) {
    if (version.layout == layout) return version.buffer;
  }
  Version from = versions.front();
  BufferId buffer;
  if (SameMemory(type(value).shape, from.layout, layout)) {
    buffer = NewBuffer(buffers_[from.buffer].home, buffers_[from.buffer].index, buffers_[from.buffer].size_bytes);
    buffers_[buffer].root = buffers_[from.buffer].root;
  } else if (buffers_[from.buffer].home == Home::kConstant) {
    buffer = ConvertConstant(value, from, layout);
  } else {
    buffer = Convert(value, from, layout);
  }
  versions_[value].push_back({layout, buffer});
  return buffer;
}

BufferId Builder::Convert(ValueId value, Version from, Layout to) {
  BufferId buffer = NewBuffer(Home::kArena, 0, StorageBytes(type(value), to));
  StepPlan step{.kernel = MakeReorder(type(value), from.layout, to),
                .node = node_,
                .inputs = {from.buffer},
                .outputs = {buffer}};
  steps_.push_back(std::move(step));
  return buffer;
}

BufferId Builder::ConvertConstant(ValueId value, Version from, Layout to) {
  Buffer converted(StorageBytes(type(value), to));
  Relayout(type(value), from.layout, constants_[buffers_[from.buffer].index], to, converted.bytes().data());
  return Keep(std::move(converted));
}

BufferId Builder::Define(const OutputPlan& output) {
  for (size_t i : outputs_of_[output.value]) {
    if (delivered_[i] || !SameMemory(type(output.value).shape, OutputLayout(i), output.layout)) continue;
    BufferId buffer =
        NewBuffer(Home::kOutput, static_cast<uint32_t>(i), StorageBytes(type(output.value), output.layout));
    delivered_[i] = true;
    return buffer;
  }
  return NewBuffer(Home::kArena, 0, StorageBytes(type(output.value), output.layout));
}

Status Builder::Emit(std::unique_ptr<Kernel> kernel, std::vector<BufferId> inputs, std::vector<OutputPlan> outputs,
                     StepOptions options) {
  StepPlan step{
      .kernel = std::move(kernel), .node = node_, .inputs = std::move(inputs), .take_over = options.take_over};
  if (options.scratch_bytes > 0) step.scratch = NewBuffer(Home::kArena, 0, options.scratch_bytes);
  for (const OutputPlan& output : outputs) {
    BufferId buffer = Define(output);
    if (buffers_[buffer].home == Home::kOutput) step.completes.push_back(buffers_[buffer].index);
    step.outputs.push_back(buffer);
    versions_[output.value].push_back({output.layout, buffer});
  }
  steps_.push_back(std::move(step));
  for (const OutputPlan& output : outputs) TRY(Deliver(output.value));
  return {};
}

Status Builder::Alias(ValueId output, BufferId buffer, Layout layout) {
  BufferId alias = NewBuffer(buffers_[buffer].home, buffers_[buffer].index, buffers_[buffer].size_bytes);
  buffers_[alias].root = buffers_[buffer].root;
  versions_[output].push_back({layout, alias});
  return Deliver(output);
}

// Deliver copies `value` to the graph outputs that it is and that no step has written yet.
Status Builder::Deliver(ValueId value) {
  for (size_t i : outputs_of_[value]) {
    if (!delivered_[i]) TRY(CopyToOutput(value, i));
  }
  return {};
}

Status Builder::CopyToOutput(ValueId value, size_t output) {
  if (versions_[value].empty()) TRY(ReadConstant(value));
  Version from = versions_[value].front();
  Layout to = OutputLayout(output);
  BufferId target = NewBuffer(Home::kOutput, static_cast<uint32_t>(output), StorageBytes(type(value), to));
  StepPlan step{.node = node_, .inputs = {from.buffer}, .outputs = {target}, .completes = {output}};
  if (buffers_[target].size_bytes == 0) step.kernel = MakeKernel([](const Arguments&) {});
  else if (SameMemory(type(value).shape, from.layout, to)) step.kernel = MakeCopy(buffers_[target].size_bytes);
  else step.kernel = MakeReorder(type(value), from.layout, to);
  steps_.push_back(std::move(step));
  delivered_[output] = true;
  return {};
}

Status Builder::Finish() {
  for (ValueId value : graph_.graph().outputs) TRY(Deliver(value));
  return {};
}

std::vector<Layout> Builder::PreferredInputLayouts() const {
  std::vector<Layout> layouts;
  for (const GraphInput& input : graph_.graph().inputs) {
    Layout layout = wanted_[input.value].value_or(Layout::kDense);
    layouts.push_back(type(input.value).shape.size() == 4 ? layout : Layout::kDense);
  }
  return layouts;
}

std::vector<Layout> Builder::PreferredOutputLayouts() const {
  std::vector<Layout> layouts;
  for (ValueId value : graph_.graph().outputs) {
    layouts.push_back(type(value).shape.size() == 4 ? LayoutOf(value) : Layout::kDense);
  }
  return layouts;
}

}  // namespace soter::compute
