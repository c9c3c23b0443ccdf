#include <algorithm>
#include <numeric>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"
#include "common/compute/strided.h"

// Operators that only move elements. Each is a walk (strided.h) or a change of shape.
namespace soter::compute {

namespace {

size_t ElementBytes(const UnitContext& u) { return DTypeBytes(u.OutType().dtype); }

Status EmitReshape(const UnitContext& u) {
  return u.builder.Alias(u.Out(), TRY(u.builder.Read(u.In(0))), Layout::kDense);
}

Status EmitWalk(const UnitContext& u, const Strided& walk) {
  return u.builder.Emit(MakeCopyKernel(walk, ElementBytes(u)), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

// ConcatLayout keeps the layout of the first operand when the others can follow and no operand has padding.
Layout ConcatLayout(const UnitContext& u, size_t axis) {
  Layout layout = u.builder.LayoutOf(u.In(0));
  if (!CanLieAs(u.OutType(), layout)) return Layout::kDense;
  for (size_t i = 0; i < u.node.inputs.size(); ++i) {
    if (HasPadding(u.InShape(i), layout)) return Layout::kDense;
  }
  return axis == 0 && u.OutShape().size() < 3 ? Layout::kDense : layout;
}

// MemoryAxis is where logical axis `axis` lies in MemoryShape(layout) when it is outermost-most of its parts.
size_t MemoryAxis(size_t axis, size_t rank, Layout layout) {
  if (layout == Layout::kNhwc) return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
  return axis;
}

}  // namespace

Status Lower(const UnitContext& u, const Reshape&) { return EmitReshape(u); }
Status Lower(const UnitContext& u, const Flatten&) { return EmitReshape(u); }
Status Lower(const UnitContext& u, const Squeeze&) { return EmitReshape(u); }
Status Lower(const UnitContext& u, const Unsqueeze&) { return EmitReshape(u); }

Status Lower(const UnitContext& u, const Transpose& op) {
  const Shape& shape = u.InShape(0);
  Shape dense = DenseStrides(shape);
  Strided walk{.extents = u.OutShape(), .strides = {DenseStrides(u.OutShape()), {}}, .offsets = {0, 0}};
  for (size_t d = 0; d < shape.size(); ++d) {
    size_t from = op.perm.empty() ? shape.size() - 1 - d : static_cast<size_t>(op.perm[d]);
    walk.strides[1].push_back(dense[from]);
  }
  if (u.OutType().dtype != DType::kFloat32 || shape.empty()) return EmitWalk(u, walk);
  // oneDNN's reorder transposes float32 in blocks that fit the cache.
  walk = Collapse(walk);
  dnnl::memory::desc source(walk.extents, dnnl::memory::data_type::f32, walk.strides[1]);
  dnnl::memory::desc target(walk.extents, dnnl::memory::data_type::f32, walk.strides[0]);
  dnnl::reorder::primitive_desc desc(Engine(), source, Engine(), target);
  auto kernel = std::make_unique<OnednnKernel>(dnnl::reorder(desc), std::vector<Slot>{
      {DNNL_ARG_FROM, Slot::From::kInput, 0, source}, {DNNL_ARG_TO, Slot::From::kOutput, 0, target}});
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

Status Lower(const UnitContext& u, const Concat& op) {
  size_t rank = u.OutShape().size(), axis = NormalAxis(op.axis, rank);
  Layout layout = ConcatLayout(u, axis);
  size_t memory_axis = MemoryAxis(axis, rank, layout);
  Shape strides = DenseStrides(MemoryShape(u.OutShape(), layout));
  std::vector<Strided> walks;
  std::vector<BufferId> inputs;
  int64_t offset = 0;
  for (size_t i = 0; i < u.node.inputs.size(); ++i) {
    Shape part = MemoryShape(u.InShape(i), layout);
    inputs.push_back(TRY(u.builder.Read(u.In(i), layout)));
    walks.push_back(Collapse({.extents = part, .strides = {strides, DenseStrides(part)}, .offsets = {offset, 0}}));
    offset += part[memory_axis] * strides[memory_axis];
  }
  auto kernel = MakeKernel([walks, bytes = ElementBytes(u)](const Arguments& a) {
    for (size_t i = 0; i < walks.size(); ++i) CopyWalk(walks[i], bytes, a.inputs[i], a.outputs[0]);
  });
  return u.builder.Emit(std::move(kernel), std::move(inputs), {{u.Out(), layout}});
}

Status Lower(const UnitContext& u, const Split& op) {
  const Shape& shape = u.InShape(0);
  size_t axis = NormalAxis(op.axis, shape.size());
  Shape strides = DenseStrides(shape);
  std::vector<Strided> walks;
  std::vector<OutputPlan> outputs;
  int64_t offset = 0;
  for (ValueId value : u.node.outputs) {
    const Shape& part = u.builder.type(value).shape;
    walks.push_back(Collapse({.extents = part, .strides = {DenseStrides(part), strides}, .offsets = {0, offset}}));
    offset += part[axis] * strides[axis];
    outputs.push_back({value});
  }
  auto kernel = MakeKernel([walks, bytes = DTypeBytes(u.InType(0).dtype)](const Arguments& a) {
    for (size_t i = 0; i < walks.size(); ++i) CopyWalk(walks[i], bytes, a.inputs[0], a.outputs[i]);
  });
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0)))}, std::move(outputs));
}

Status Lower(const UnitContext& u, const Slice&) {
  const Shape& shape = u.InShape(0);
  std::vector<int64_t> starts = TRY(u.builder.Integers(u.In(1)));
  std::vector<int64_t> axes(starts.size()), steps(starts.size(), 1);
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (u.Has(3)) axes = TRY(u.builder.Integers(u.In(3)));
  if (u.Has(4)) steps = TRY(u.builder.Integers(u.In(4)));
  Shape strides = DenseStrides(shape);
  int64_t offset = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    size_t axis = NormalAxis(axes[i], shape.size());
    int64_t extent = shape[axis];
    int64_t start = starts[i] < 0 ? starts[i] + extent : starts[i];
    start = std::clamp<int64_t>(start, 0, steps[i] < 0 ? extent - 1 : extent);
    offset += start * strides[axis];
    strides[axis] *= steps[i];
  }
  return EmitWalk(
      u, {.extents = u.OutShape(), .strides = {DenseStrides(u.OutShape()), strides}, .offsets = {0, offset}});
}

Status Lower(const UnitContext& u, const Expand&) {
  return EmitWalk(u, {.extents = u.OutShape(),
                      .strides = {DenseStrides(u.OutShape()), BroadcastStrides(u.InShape(0), u.OutShape())},
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
  return EmitWalk(u, walk);
}

Status Lower(const UnitContext& u, const DepthToSpace& op) {
  // Depth: [n, c, h, w]; space: [n, c / b^2, h b, w b]. One walk over (n, c / b^2, row, column, h, w) joins both.
  const Shape& depth = op.inverse ? u.OutShape() : u.InShape(0);
  const Shape& space = op.inverse ? u.InShape(0) : u.OutShape();
  int64_t b = op.block, c = space[1];
  Shape deep = DenseStrides(depth), wide = DenseStrides(space);
  bool channel_first =
      op.column_row_depth && !op.inverse;  // c = (c / b^2, row, column) instead of (row, column, c / b^2)
  Shape of_depth = channel_first ? Shape{deep[0], b * b * deep[1], b * deep[1], deep[1], deep[2], deep[3]}
                                 : Shape{deep[0], deep[1], b * c * deep[1], c * deep[1], deep[2], deep[3]};
  Shape of_space = {wide[0], wide[1], wide[2], wide[3], b * wide[2], b * wide[3]};
  Strided walk{.extents = {depth[0], c, b, b, depth[2], depth[3]},
               .strides = {op.inverse ? of_depth : of_space, op.inverse ? of_space : of_depth},
               .offsets = {0, 0}};
  return EmitWalk(u, walk);
}

}  // namespace soter::compute
