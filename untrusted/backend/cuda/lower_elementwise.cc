#include "untrusted/backend/cuda/kernels/elementwise.h"
#include "untrusted/backend/cuda/lower.h"
#include "untrusted/backend/cuda/walk_plan.h"

namespace soter::cuda {

namespace {

Error NoKernelFor(DType dtype) { return Unsupported(std::string("type ") + DTypeName(dtype)); }

// BroadcastWalk is the walk of y and its operands by NumPy's rules; operand 0 is y.
template <int N>
Result<Walk<N>> BroadcastWalk(const UnitContext& u) {
  const Shape& shape = u.OutShape();
  compute::Strided walk{.extents = shape, .strides = {compute::DenseStrides(shape)}, .offsets = std::vector<int64_t>(N)};
  for (size_t i = 0; i + 1 < N; ++i) walk.strides.push_back(compute::BroadcastStrides(u.InShape(i), shape));
  return MakeWalk<N>(walk);
}

}  // namespace

Status Lower(const UnitContext& u, const Unary& op) {
  DType dtype = u.InType(0).dtype;
  BufferId x = TRY(u.builder.Read(u.In(0)));
  if (op.kind == UnaryKind::kIdentity) {
    u.builder.Alias(u.Out(), x);
    return {};
  }
  if (!UnaryKnown(op.kind, dtype)) return NoKernelFor(dtype);
  auto launch = [op, dtype, count = u.OutCount()](const Arguments& a) {
    return LaunchUnary(a.stream, op, dtype, count, a.inputs[0], a.outputs[0]);
  };
  u.builder.Emit(MakeStep(launch), {x}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Binary& op) {
  DType dtype = u.InType(0).dtype;
  if (!BinaryKnown(op.kind, dtype)) return NoKernelFor(dtype);
  if (u.relu() && dtype != DType::kFloat32) return NoKernelFor(dtype);
  Walk<3> walk = TRY(BroadcastWalk<3>(u));
  auto launch = [kind = op.kind, relu = u.relu(), dtype, walk](const Arguments& a) {
    return LaunchBinary(a.stream, kind, relu, dtype, walk, a.inputs[0], a.inputs[1], a.outputs[0]);
  };
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1)))};
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Where&) {
  Walk<4> walk = TRY(BroadcastWalk<4>(u));
  auto launch = [walk, bytes = u.ElementBytes()](const Arguments& a) {
    return LaunchWhere(a.stream, bytes, walk, a.In<uint8_t>(0), a.inputs[1], a.inputs[2], a.outputs[0]);
  };
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1))),
                                  TRY(u.builder.Read(u.In(2)))};
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const Cast& op) {
  DType from = u.InType(0).dtype;
  BufferId x = TRY(u.builder.Read(u.In(0)));
  if (from == op.to) {
    u.builder.Alias(u.Out(), x);
    return {};
  }
  auto launch = [from, to = op.to, count = u.OutCount()](const Arguments& a) {
    return LaunchCast(a.stream, from, to, count, a.inputs[0], a.outputs[0]);
  };
  u.builder.Emit(MakeStep(launch), {x}, {u.builder.Define(u.Out())});
  return {};
}

Status Lower(const UnitContext& u, const ChannelAffine&) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  int64_t channels = shape[1], plane = compute::Product(shape, 2, shape.size());
  auto launch = [=, count = u.OutCount(), relu = u.relu()](const Arguments& a) {
    return LaunchChannelAffine(a.stream, count, channels, plane, relu, a.In<float>(0), a.In<float>(1), a.In<float>(2),
                               a.Out<float>(0));
  };
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1))),
                                  TRY(u.builder.Read(u.In(2)))};
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

}  // namespace soter::cuda
