#include "untrusted/backend/cuda/builder.h"

#include <algorithm>

#include "common/compute/layout.h"
#include "untrusted/backend/cuda/kernels/elementwise.h"
#include "untrusted/backend/cuda/kernels/movement.h"
#include "untrusted/backend/cuda/lower.h"

namespace soter::cuda {

namespace {

using compute::Product;

size_t DenseBytes(const TensorType& type) { return static_cast<size_t>(Product(type.shape)) * DTypeBytes(type.dtype); }

LaidOut LaidOutShape(const wire::Port& port) {
  const Shape& shape = port.type.shape;
  if (port.layout == Layout::kDense) return {};
  return {port.layout, shape[1], Product(shape, 2, shape.size())};
}

std::string NameOf(const Node& node) { return "node '" + node.name + "' (" + OpName(node.op) + ")"; }

bool IsEmpty(const UnitContext& u) {
  return std::ranges::all_of(u.node.outputs, [&](ValueId value) { return Product(u.builder.type(value).shape) == 0; });
}

// LowerUnit lowers one unit; outputs without elements need no step.
Status LowerUnit(const UnitContext& u) {
  if (!IsEmpty(u)) return std::visit([&](const auto& op) { return Lower(u, op); }, u.node.op);
  if (u.unit.output != kNoValue) u.builder.Define(u.unit.output);
  else for (ValueId value : u.node.outputs) u.builder.Define(value);
  return {};
}

}  // namespace

DType Builder::product_dtype() const {
  switch (arithmetic_) {
    case wire::Arithmetic::kFloat16: return DType::kFloat16;
    case wire::Arithmetic::kFloat64: return DType::kFloat64;
    default: return DType::kFloat32;
  }
}

BufferId Builder::NewBuffer(size_t size_bytes) {
  plan_.buffer_bytes.push_back(size_bytes);
  return static_cast<BufferId>(plan_.buffer_bytes.size() - 1);
}

BufferId Builder::Define(ValueId value) {
  BufferId buffer = NewBuffer(DenseBytes(type(value)));
  buffers_[value] = buffer;
  return buffer;
}

BufferId Builder::Keep(Tensor tensor) {
  BufferId buffer = NewBuffer(0);
  DType dtype = tensor.dtype();
  plan_.constants.push_back({.made = std::make_shared<const Tensor>(std::move(tensor)), .dtype = dtype, .buffer = buffer});
  return buffer;
}

Result<BufferId> Builder::Read(ValueId value) { return ReadAs(value, type(value).dtype); }

Result<BufferId> Builder::ReadAs(ValueId value, DType dtype) {
  DType own = type(value).dtype;
  auto found = buffers_.find(value);
  if (found != buffers_.end() && dtype == own) return found->second;
  auto [converted, fresh] = converted_.try_emplace({value, dtype}, kNoBuffer);
  if (!fresh) return converted->second;
  if (const Initializer* initializer = graph_.initializer(value)) {
    converted->second = NewBuffer(0);
    plan_.constants.push_back({.initializer = initializer, .dtype = dtype, .buffer = converted->second});
    return converted->second;
  }
  CHECK(found != buffers_.end(), "a value is computed before it is read");
  int64_t count = Product(type(value).shape);
  converted->second = NewBuffer(static_cast<size_t>(count) * DTypeBytes(dtype));
  auto cast = [=](const Arguments& a) { return LaunchCast(a.stream, own, dtype, count, a.inputs[0], a.outputs[0]); };
  Emit(MakeStep(cast), {found->second}, {converted->second});
  return converted->second;
}

Result<const Tensor*> Builder::Constant(ValueId value) const {
  const Tensor* tensor = graph_.constant(value);
  if (tensor == nullptr) return Unsupported("an operand that shapes what is computed depends on data");
  return tensor;
}

Result<std::vector<int64_t>> Builder::Integers(ValueId value) const {
  const Tensor* tensor = TRY(Constant(value));
  if (tensor->dtype() != DType::kInt64) return Unsupported(std::string("type ") + DTypeName(tensor->dtype()));
  std::span<const int64_t> values = tensor->As<int64_t>();
  return std::vector<int64_t>(values.begin(), values.end());
}

void Builder::Emit(std::unique_ptr<Step> step, std::vector<BufferId> inputs, std::vector<BufferId> outputs) {
  plan_.steps.push_back({std::move(step), node_, std::move(inputs), std::move(outputs)});
}

bool Builder::WrittenByStep(BufferId buffer) const {
  return std::ranges::any_of(plan_.steps, [&](const StepPlan& s) { return std::ranges::count(s.outputs, buffer) > 0; });
}

Status Builder::AddInput(const wire::Port& port, ValueId value) {
  size_t size_bytes = TRY(LaidOutBytes(port.type, port.layout));
  BufferId landing = NewBuffer(size_bytes);
  plan_.uploads.push_back(landing);
  plan_.upload_bytes.push_back(size_bytes);
  if (port.layout == Layout::kDense) {
    Alias(value, landing);
    return {};
  }
  auto convert = [shape = LaidOutShape(port), count = Product(port.type.shape)](const Arguments& a) {
    return LaunchFromLayout(a.stream, shape, count, a.In<float>(0), a.Out<float>(0));
  };
  Emit(MakeStep(convert), {landing}, {Define(value)});
  return {};
}

Status Builder::AddOutput(const wire::Port& port, ValueId value) {
  size_t size_bytes = TRY(LaidOutBytes(port.type, port.layout));
  BufferId leaving = TRY(Read(value));
  if (port.layout != Layout::kDense || !WrittenByStep(leaving)) {
    BufferId dense = std::exchange(leaving, NewBuffer(size_bytes));
    auto convert = [shape = LaidOutShape(port), size_bytes](const Arguments& a) {
      if (shape.layout == Layout::kDense) {
        return cudaMemcpyAsync(a.outputs[0], a.inputs[0], size_bytes, cudaMemcpyDeviceToDevice, a.stream);
      }
      int64_t count = static_cast<int64_t>(size_bytes / sizeof(float));
      return LaunchToLayout(a.stream, shape, count, a.In<float>(0), a.Out<float>(0));
    };
    Emit(MakeStep(convert), {dense}, {leaving});
  }
  plan_.downloads.push_back(leaving);
  plan_.download_bytes.push_back(size_bytes);
  return {};
}

Result<SegmentPlan> PlanSegment(const StaticGraph& graph, wire::Arithmetic arithmetic,
                                std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) {
  Builder builder(graph, arithmetic);
  for (size_t i = 0; i < inputs.size(); ++i) TRY(builder.AddInput(inputs[i], graph.graph().inputs[i].value));
  for (const compute::Unit& unit : compute::PlanFusion(graph)) {
    const Node& node = graph.graph().nodes[unit.node];
    builder.Begin(unit.node);
    Status lowered = LowerUnit({builder, node, unit});
    if (!lowered.ok()) return Annotate(lowered.error(), NameOf(node));
  }
  for (size_t i = 0; i < outputs.size(); ++i) TRY(builder.AddOutput(outputs[i], graph.graph().outputs[i]));
  return std::move(builder).Take();
}

}  // namespace soter::cuda
