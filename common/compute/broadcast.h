#pragma once

#include "common/compute/lower.h"
#include "common/compute/strided.h"

namespace soter::compute {

// Broadcast is the walk of an elementwise operator with NumPy broadcasting, in the layout of its output.
// Operand 0 of the walk is the output, then come the inputs.
struct Broadcast {
  Layout layout;
  Strided walk;                   // collapsed, at least two axes
  std::vector<BufferId> buffers;  // of the inputs
};

// PlanBroadcast keeps the layout of an operand as large as the output when `may_keep_layout`; other operands are
// walked as they lie. Errors: those of the weight source.
Result<Broadcast> PlanBroadcast(const UnitContext& u, std::span<const ValueId> inputs, bool may_keep_layout);

// WithTiles gives a collapsed walk at least two axes, and cuts one that is a single tile so that threads can share
// it.
Strided WithTiles(Strided walk);

// ForEachTile calls tile(offsets) for every tile of the last two axes of `walk`, with all threads; offsets[0] is
// the output's.
template <size_t N, typename Tile>
void ForEachTile(const Strided& walk, Tile tile) {
  constexpr int64_t kParallelElements = 1 << 13;
  int64_t count = 1;
  for (int64_t extent : walk.extents) count *= extent;
  size_t rank = walk.extents.size();
  int64_t tiles = count / (walk.extents[rank - 1] * walk.extents[rank - 2]);
#pragma omp parallel for schedule(static) if (tiles > 1 && count > kParallelElements)
  for (int64_t t = 0; t < tiles; ++t) tile(RowOffsets<N>(walk, 2, t));
}

}  // namespace soter::compute
