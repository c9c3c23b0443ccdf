#include <cstring>
#include <numeric>
#include <utility>

#include "untrusted/backend/cuda/kernels/movement.h"
#include "untrusted/backend/cuda/lower.h"
#include "untrusted/backend/cuda/walk_plan.h"

// Operators that choose elements by index, or make them: Pad, Gather, Fill, Trilu. What only shapes decide (ShapeOf,
// Range) costs less than its transfer and stays in the enclave.
namespace soter::cuda {

namespace {

Result<PadShape> PlanPad(const UnitContext& u, const Pad& op) {
  const Shape& shape = u.InShape(0);
  PadShape plan{.mode = op.mode, .rank = static_cast<int>(shape.size()), .count = u.OutCount()};
  for (size_t d = 0; d < shape.size(); ++d) {
    plan.extents[d] = u.OutShape()[d];
    plan.source[d] = shape[d];
  }
  std::vector<int64_t> pads = TRY(u.builder.Integers(u.In(1))), axes(pads.size() / 2);
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (u.Has(3)) axes = TRY(u.builder.Integers(u.In(3)));
  for (size_t i = 0; i < axes.size(); ++i) plan.begins[compute::NormalAxis(axes[i], shape.size())] = pads[i];
  if (u.Has(2)) {
    const Tensor* value = TRY(u.builder.Constant(u.In(2)));
    std::memcpy(&plan.value, value->bytes().data(), DTypeBytes(value->dtype()));
  }
  return plan;
}

Status EmitGatherElements(const UnitContext& u, size_t axis, std::vector<BufferId> inputs) {
  const Shape& data = u.InShape(0);
  Shape strides = compute::DenseStrides(data);
  int64_t extent = data[axis], step = std::exchange(strides[axis], 0);
  Walk<2> walk = TRY(MakeWalk<2>({.extents = u.OutShape(),
                                  .strides = {compute::DenseStrides(u.OutShape()), strides},
                                  .offsets = {0, 0}}));
  auto launch = [=, bytes = u.ElementBytes(), dtype = u.InType(1).dtype](const Arguments& a) {
    return LaunchGatherElements(a.stream, bytes, dtype, walk, extent, step, a.inputs[0], a.inputs[1], a.outputs[0],
                                a.fault);
  };
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

}  // namespace

Status Lower(const UnitContext& u, const Pad& op) {
  PadShape plan = TRY(PlanPad(u, op));
  if (plan.mode != PadMode::kConstant && u.InCount(0) == 0) return Unsupported("nothing to pad with");
  auto launch = [plan, bytes = u.ElementBytes()](const Arguments& a) {
    return LaunchPad(a.stream, bytes, plan, a.inputs[0], a.outputs[0]);
  };
  u.builder.Emit(MakeStep(launch), {TRY(u.builder.Read(u.In(0)))}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Gather& op) {
  const Shape& data = u.InShape(0);
  size_t axis = compute::NormalAxis(op.axis, data.size());
  if (data[axis] == 0) return Unsupported("an empty axis to gather from");
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1)))};
  if (op.elements) return EmitGatherElements(u, axis, std::move(inputs));
  GatherShape shape{.outer = compute::Product(data, 0, axis),
                    .extent = data[axis],
                    .inner = compute::Product(data, axis + 1, data.size()),
                    .count = u.InCount(1)};
  auto launch = [shape, bytes = u.ElementBytes(), dtype = u.InType(1).dtype](const Arguments& a) {
    return LaunchGather(a.stream, bytes, dtype, shape, a.inputs[0], a.inputs[1], a.outputs[0], a.fault);
  };
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Fill&) {
  size_t bytes = u.ElementBytes();
  std::vector<BufferId> inputs;
  if (u.Has(1)) inputs.push_back(TRY(u.builder.Read(u.In(1))));
  Walk<2> walk = TRY(MakeWalk<2>({.extents = {u.OutCount()}, .strides = {{1}, {0}}, .offsets = {0, 0}}));
  auto launch = [walk, bytes](const Arguments& a) {
    if (!a.inputs.empty()) return LaunchCopy(a.stream, bytes, walk, a.inputs[0], a.outputs[0]);
    return cudaMemsetAsync(a.outputs[0], 0, static_cast<size_t>(walk.count) * bytes, a.stream);
  };
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Trilu& op) {
  const Shape& shape = u.OutShape();
  TriluShape plan{.count = u.OutCount(),
                  .rows = shape[shape.size() - 2],
                  .columns = shape.back(),
                  .diagonal = u.Has(1) ? TRY(u.builder.Integers(u.In(1)))[0] : 0,
                  .upper = op.upper};
  auto launch = [plan, bytes = u.ElementBytes()](const Arguments& a) {
    return LaunchTrilu(a.stream, bytes, plan, a.inputs[0], a.outputs[0]);
  };
  u.builder.Emit(MakeStep(launch), {TRY(u.builder.Read(u.In(0)))}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext&, const ShapeOf&) { return Unsupported("what shapes decide needs no accelerator"); }
Status Lower(const UnitContext&, const Range&) { return Unsupported("what shapes decide needs no accelerator"); }

Status Lower(const UnitContext&, const CumSum&) { return Unsupported("no kernel here sums along an axis"); }
Status Lower(const UnitContext&, const TopK&) { return Unsupported("no kernel here orders elements"); }
Status Lower(const UnitContext&, const GatherNd&) { return Unsupported("no kernel here gathers by tuples"); }
Status Lower(const UnitContext&, const Scatter&) { return Unsupported("no kernel here scatters"); }
Status Lower(const UnitContext&, const Recurrent&) { return Unsupported("no kernel here steps through a sequence"); }

}  // namespace soter::cuda
