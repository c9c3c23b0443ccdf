#include "common/graph/infer.h"
#include "untrusted/backend/cuda/kernels/movement.h"
#include "untrusted/backend/cuda/lower.h"
#include "untrusted/backend/cuda/walk_plan.h"

// Operators that only move elements: each is a change of shape or a copy along a walk.
namespace soter::cuda {

namespace {

using compute::DenseStrides;
using compute::Strided;

Status EmitReshape(const UnitContext& u) {
  u.builder.Alias(u.Out(), TRY(u.builder.Read(u.In(0))));
  return {};
}

// EmitCopies copies between input i and output i along walks[i]; the shorter list serves all.
Status EmitCopies(const UnitContext& u, const std::vector<Strided>& walks, std::vector<BufferId> inputs,
                  std::vector<BufferId> outputs) {
  std::vector<Walk<2>> made;
  for (const Strided& walk : walks) made.push_back(TRY(MakeWalk<2>(walk)));
  size_t bytes = DTypeBytes(u.builder.type(u.node.outputs[0]).dtype);
  auto launch = [made = std::move(made), bytes](const Arguments& a) {
    for (size_t i = 0; i < made.size(); ++i) {
      const void* x = a.inputs[a.inputs.size() == 1 ? 0 : i];
      void* y = a.outputs[a.outputs.size() == 1 ? 0 : i];
      if (cudaError_t error = LaunchCopy(a.stream, bytes, made[i], x, y); error != cudaSuccess) return error;
    }
    return cudaSuccess;
  };
  u.builder.Emit(MakeStep(std::move(launch)), std::move(inputs), std::move(outputs));
  return {};
}

Status EmitCopy(const UnitContext& u, const Strided& walk) {
  BufferId x = TRY(u.builder.Read(u.In(0)));
  return EmitCopies(u, {walk}, {x}, {u.builder.Define(u.Out())});
}

}  // namespace

Status Lower(const UnitContext& u, const Reshape&) { return EmitReshape(u); }
Status Lower(const UnitContext& u, const Flatten&) { return EmitReshape(u); }
Status Lower(const UnitContext& u, const Squeeze&) { return EmitReshape(u); }
Status Lower(const UnitContext& u, const Unsqueeze&) { return EmitReshape(u); }

Status Lower(const UnitContext& u, const Transpose& op) {
  Shape dense = DenseStrides(u.InShape(0));
  Strided walk{.extents = u.OutShape(), .strides = {DenseStrides(u.OutShape()), {}}, .offsets = {0, 0}};
  for (size_t d = 0; d < dense.size(); ++d) {
    walk.strides[1].push_back(dense[op.perm.empty() ? dense.size() - 1 - d : static_cast<size_t>(op.perm[d])]);
  }
  return EmitCopy(u, walk);
}

Status Lower(const UnitContext& u, const Concat& op) {
  size_t axis = compute::NormalAxis(op.axis, u.OutShape().size());
  Shape strides = DenseStrides(u.OutShape());
  std::vector<Strided> walks;
  std::vector<BufferId> inputs;
  int64_t offset = 0;
  for (size_t i = 0; i < u.node.inputs.size(); ++i) {
    const Shape& part = u.InShape(i);
    inputs.push_back(TRY(u.builder.Read(u.In(i))));
    walks.push_back({.extents = part, .strides = {strides, DenseStrides(part)}, .offsets = {offset, 0}});
    offset += part[axis] * strides[axis];
  }
  return EmitCopies(u, walks, std::move(inputs), {u.builder.Define(u.Out())});
}

Status Lower(const UnitContext& u, const Split& op) {
  size_t axis = compute::NormalAxis(op.axis, u.InShape(0).size());
  Shape strides = DenseStrides(u.InShape(0));
  std::vector<Strided> walks;
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0)))}, outputs;
  int64_t offset = 0;
  for (ValueId value : u.node.outputs) {
    const Shape& part = u.builder.type(value).shape;
    walks.push_back({.extents = part, .strides = {DenseStrides(part), strides}, .offsets = {0, offset}});
    offset += part[axis] * strides[axis];
    outputs.push_back(u.builder.Define(value));
  }
  return EmitCopies(u, walks, std::move(inputs), std::move(outputs));
}

Status Lower(const UnitContext& u, const Slice&) {
  std::vector<const TensorType*> types;
  std::vector<const Tensor*> constants;
  for (ValueId value : u.node.inputs) {
    types.push_back(value == kNoValue ? nullptr : &u.builder.type(value));
    constants.push_back(value == kNoValue ? nullptr : u.builder.graph().constant(value));
  }
  std::vector<SliceRange> ranges = TRY(ResolveSlice(Operands(types, constants, 1)));
  Shape strides = DenseStrides(u.InShape(0));
  int64_t offset = 0;
  for (size_t d = 0; d < strides.size(); ++d) {
    offset += ranges[d].start * strides[d];
    strides[d] *= ranges[d].step;
  }
  return EmitCopy(
      u, {.extents = u.OutShape(), .strides = {DenseStrides(u.OutShape()), strides}, .offsets = {0, offset}});
}

Status Lower(const UnitContext& u, const Expand&) {
  return EmitCopy(u, {.extents = u.OutShape(),
                      .strides = {DenseStrides(u.OutShape()), compute::BroadcastStrides(u.InShape(0), u.OutShape())},
                      .offsets = {0, 0}});
}

Status Lower(const UnitContext& u, const Tile&) {
  const Shape& shape = u.InShape(0);
  Shape source = DenseStrides(shape), target = DenseStrides(u.OutShape());
  Strided walk{.strides = {{}, {}}, .offsets = {0, 0}};
  for (size_t d = 0; d < shape.size(); ++d) {  // every axis is [repeats, extent]
    walk.extents.insert(walk.extents.end(), {u.OutShape()[d] / shape[d], shape[d]});
    walk.strides[0].insert(walk.strides[0].end(), {target[d] * shape[d], target[d]});
    walk.strides[1].insert(walk.strides[1].end(), {0, source[d]});
  }
  return EmitCopy(u, walk);
}

Status Lower(const UnitContext& u, const DepthToSpace& op) {
  // Depth: [n, c, h, w]; space: [n, c / b^2, h b, w b]. One walk over (n, c / b^2, row, column, h, w) joins both.
  const Shape& depth = op.inverse ? u.OutShape() : u.InShape(0);
  const Shape& space = op.inverse ? u.InShape(0) : u.OutShape();
  int64_t b = op.block, c = space[1];
  Shape deep = DenseStrides(depth), wide = DenseStrides(space);
  bool channel_first = op.column_row_depth && !op.inverse;  // c = (c / b^2, row, column), else (row, column, c / b^2)
  Shape of_depth = channel_first ? Shape{deep[0], b * b * deep[1], b * deep[1], deep[1], deep[2], deep[3]}
                                 : Shape{deep[0], deep[1], b * c * deep[1], c * deep[1], deep[2], deep[3]};
  Shape of_space = {wide[0], wide[1], wide[2], wide[3], b * wide[2], b * wide[3]};
  return EmitCopy(u, {.extents = {depth[0], c, b, b, depth[2], depth[3]},
                      .strides = {op.inverse ? of_depth : of_space, op.inverse ? of_space : of_depth},
                      .offsets = {0, 0}});
}

}  // namespace soter::cuda
