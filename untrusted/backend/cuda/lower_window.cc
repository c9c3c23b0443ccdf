#include "common/compute/resize_plan.h"
#include "common/graph/infer.h"
#include "untrusted/backend/cuda/kernels/reduce.h"
#include "untrusted/backend/cuda/kernels/window.h"
#include "untrusted/backend/cuda/lower.h"
#include "untrusted/backend/cuda/walk_plan.h"

// Operators that look at many elements for each one they make: pooling, reductions, normalisations, resizing.
namespace soter::cuda {

namespace {

using compute::Product;

PoolShape PlanPool(const UnitContext& u, const Pool& op) {
  PoolShape plan{.kind = op.kind,
                 .count_include_pad = op.count_include_pad,
                 .p = static_cast<float>(op.p),
                 .planes = u.InShape(0)[0] * u.InShape(0)[1]};
  size_t missing = 3 - op.window.kernel.size();
  for (size_t axis = 0; axis < 3; ++axis) {
    bool real = axis >= missing;
    size_t i = real ? axis - missing : 0;
    plan.in[axis] = real ? u.InShape(0)[i + 2] : 1;
    plan.out[axis] = real ? u.OutShape()[i + 2] : 1;
    plan.kernel[axis] = real ? op.window.kernel[i] : 1;
    plan.stride[axis] = real ? op.window.strides[i] : 1;
    plan.dilation[axis] = real ? op.window.dilations[i] : 1;
    plan.pad[axis] = real ? op.window.pads_begin[i] : 0;
    plan.pad_end[axis] = real ? op.window.pads_end[i] : 0;
  }
  return plan;
}

Result<std::vector<bool>> FoldedAxes(const UnitContext& u, const Reduce& op) {
  std::vector<const TensorType*> types = {&u.InType(0)};
  std::vector<const Tensor*> constants = {nullptr};
  if (u.Has(1)) {
    types.push_back(&u.InType(1));
    constants.push_back(u.builder.graph().constant(u.In(1)));
  }
  return ResolveReducedAxes(op, Operands(types, constants, 1));
}

Result<ReduceShape> PlanReduce(const Shape& shape, const std::vector<bool>& folded_axes) {
  compute::Strided kept{.strides = {{}}, .offsets = {0}}, folded = kept;
  Shape strides = compute::DenseStrides(shape);
  for (size_t d = 0; d < shape.size(); ++d) {
    compute::Strided& walk = folded_axes[d] ? folded : kept;
    walk.extents.push_back(shape[d]);
    walk.strides[0].push_back(strides[d]);
  }
  return ReduceShape{TRY(MakeWalk<1>(kept)), TRY(MakeWalk<1>(folded))};
}

bool IsArg(ReduceKind kind) { return kind == ReduceKind::kArgMax || kind == ReduceKind::kArgMin; }

// ReadRowOperand reads a scale or bias that must have one element for each of the row.
Result<BufferId> ReadRowOperand(const UnitContext& u, size_t i, int64_t n) {
  if (u.InCount(i) != n) return Unsupported("a scale or bias that is broadcast within a row");
  return u.builder.Read(u.In(i));
}

}  // namespace

Status Lower(const UnitContext& u, const Pool& op) {
  TRY(RequireFloat(u.InType(0)));
  auto launch = [plan = PlanPool(u, op)](const Arguments& a) {
    return LaunchPool(a.stream, plan, a.In<float>(0), a.Out<float>(0));
  };
  u.builder.Emit(MakeStep(launch), {TRY(u.builder.Read(u.In(0)))}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Reduce& op) {
  TRY(RequireFloat(u.InType(0)));
  ReduceShape plan = TRY(PlanReduce(u.InShape(0), TRY(FoldedAxes(u, op))));
  if (IsArg(op.kind) && plan.folded.count == 0) return Unsupported("an empty axis has no greatest element");
  auto launch = [op, plan](const Arguments& a) {
    if (IsArg(op.kind)) return LaunchArgReduce(a.stream, op, plan, a.In<float>(0), a.Out<int64_t>(0));
    return LaunchReduce(a.stream, op.kind, plan, a.In<float>(0), a.Out<float>(0));
  };
  u.builder.Emit(MakeStep(launch), {TRY(u.builder.Read(u.In(0)))}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Softmax& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  size_t rank = shape.size(), axis = compute::NormalAxis(op.axis, rank);
  int64_t outer = Product(shape, 0, axis);
  int64_t extent = op.flatten ? Product(shape, axis, rank) : shape[axis];
  int64_t inner = op.flatten ? 1 : Product(shape, axis + 1, rank);
  auto launch = [=, log = op.log](const Arguments& a) {
    return LaunchSoftmax(a.stream, log, outer, extent, inner, a.In<float>(0), a.Out<float>(0));
  };
  u.builder.Emit(MakeStep(launch), {TRY(u.builder.Read(u.In(0)))}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const LayerNorm& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  size_t axis = compute::NormalAxis(op.axis, shape.size());
  int64_t rows = Product(shape, 0, axis), n = Product(shape, axis, shape.size());
  bool scale = u.Has(1), bias = u.Has(2);
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0)))};
  if (scale) inputs.push_back(TRY(ReadRowOperand(u, 1, n)));
  if (bias) inputs.push_back(TRY(ReadRowOperand(u, 2, n)));
  auto launch = [=](const Arguments& a) {
    const float* scales = scale ? a.In<float>(1) : nullptr;
    const float* biases = bias ? a.In<float>(scale ? 2 : 1) : nullptr;
    return LaunchLayerNorm(a.stream, op, rows, n, a.In<float>(0), scales, biases, a.Out<float>(0));
  };
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const GroupNorm& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  int64_t groups = op.groups == 0 ? shape[1] : op.groups;
  GroupNormShape plan{shape[0], groups, shape[1] / groups, Product(shape, 2, shape.size())};
  auto launch = [op, plan](const Arguments& a) {
    return LaunchGroupNorm(a.stream, op, plan, a.In<float>(0), a.In<float>(1), a.In<float>(2), a.Out<float>(0));
  };
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1))),
                                  TRY(u.builder.Read(u.In(2)))};
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Lrn& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  LrnShape plan{.count = u.OutCount(),
                .channels = shape[1],
                .plane = Product(shape, 2, shape.size()),
                .before = (op.size - 1) / 2,
                .after = op.size - 1 - (op.size - 1) / 2,
                .alpha = op.alpha / static_cast<float>(op.size),
                .beta = op.beta,
                .bias = op.bias};
  auto launch = [plan](const Arguments& a) { return LaunchLrn(a.stream, plan, a.In<float>(0), a.Out<float>(0)); };
  u.builder.Emit(MakeStep(launch), {TRY(u.builder.Read(u.In(0)))}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Resize& op) {
  TRY(RequireFloat(u.InType(0)));
  std::span<const float> scales;
  if (u.Has(1)) scales = TRY(u.builder.Constant(u.In(1)))->As<float>();
  BufferId x = TRY(u.builder.Read(u.In(0)));
  std::vector<compute::ResizePass> passes = compute::PlanResize(op, u.InShape(0), u.OutShape(), scales);
  if (passes.empty()) u.builder.Alias(u.Out(), x);
  for (size_t i = 0; i < passes.size(); ++i) {
    const compute::ResizePass& pass = passes[i];
    ResizeShape plan{pass.outer, pass.in, pass.out, pass.inner, static_cast<int64_t>(pass.taps_per_position)};
    std::vector<int64_t> indices;
    std::vector<float> weights;
    for (const compute::ResizeTap& tap : pass.taps) indices.push_back(tap.index), weights.push_back(tap.weight);
    Shape count = {static_cast<int64_t>(pass.taps.size())};
    bool last = i + 1 == passes.size();
    size_t bytes = static_cast<size_t>(pass.outer * pass.out * pass.inner) * sizeof(float);
    BufferId y = last ? u.builder.Define(u.Out()) : u.builder.NewBuffer(bytes);
    auto launch = [plan](const Arguments& a) {
      return LaunchResize(a.stream, plan, a.In<int64_t>(1), a.In<float>(2), a.In<float>(0), a.Out<float>(0));
    };
    u.builder.Emit(MakeStep(launch),
                   {x, u.builder.Keep(Tensor::FromValues<int64_t>(count, indices)),
                    u.builder.Keep(Tensor::FromValues<float>(count, weights))},
                   {y});
    x = y;
  }
  return {};
}

}  // namespace soter::cuda
