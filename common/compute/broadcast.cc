#include "common/compute/broadcast.h"

#include <algorithm>

#include "common/compute/layout.h"

namespace soter::compute {

namespace {

// InMemoryOrder permutes strides along [n, c, spatial...] into the order of MemoryShape(layout).
Shape InMemoryOrder(const Shape& strides, Layout layout) {
  if (layout == Layout::kDense) return strides;
  Shape memory = {strides[0]};
  if (layout == Layout::kNChw16c) memory.push_back(strides[1] * kChannelBlock);
  memory.insert(memory.end(), strides.begin() + 2, strides.end());
  memory.push_back(strides[1]);
  return memory;
}

Layout KeptLayout(const UnitContext& u, std::span<const ValueId> inputs) {
  for (ValueId value : inputs) {
    Layout layout = u.builder.LayoutOf(value);
    if (u.builder.type(value) == u.OutType() && layout != Layout::kDense && !HasPadding(u.OutShape(), layout))
      return layout;
  }
  return Layout::kDense;
}

}  // namespace

Strided WithTiles(Strided walk) {
  constexpr int64_t kTile = 1 << 12;
  while (walk.extents.size() < 2) {
    walk.extents.insert(walk.extents.begin(), 1);
    for (Shape& strides : walk.strides) strides.insert(strides.begin(), 0);
  }
  if (walk.extents.size() > 2) return walk;
  // Two axes are one tile: cut the longer one into several where it divides evenly.
  size_t axis = walk.extents[0] > 1 ? 0 : 1;
  int64_t other = walk.extents[1 - axis];
  int64_t parts = std::max<int64_t>(walk.extents[axis] * other / kTile, 1);
  while (parts > 1 && walk.extents[axis] % parts != 0) --parts;
  walk.extents[axis] /= parts;
  walk.extents.insert(walk.extents.begin(), parts);
  for (Shape& strides : walk.strides) strides.insert(strides.begin(), strides[axis] * walk.extents[axis + 1]);
  return walk;
}

Result<Broadcast> PlanBroadcast(const UnitContext& u, std::span<const ValueId> inputs, bool may_keep_layout) {
  Broadcast plan{.layout = may_keep_layout ? KeptLayout(u, inputs) : Layout::kDense};
  const Shape& shape = u.OutShape();
  Strided walk{.extents = MemoryShape(shape, plan.layout), .offsets = std::vector<int64_t>(inputs.size() + 1)};
  walk.strides.push_back(DenseStrides(walk.extents));
  for (ValueId value : inputs) {
    bool full = u.builder.type(value).shape == shape;
    if (full) walk.strides.push_back(walk.strides[0]);
    else walk.strides.push_back(InMemoryOrder(BroadcastStrides(u.builder.type(value).shape, shape), plan.layout));
    plan.buffers.push_back(TRY(u.builder.Read(value, full ? plan.layout : Layout::kDense)));
  }
  plan.walk = WithTiles(Collapse(walk));
  return plan;
}

}  // namespace soter::compute
