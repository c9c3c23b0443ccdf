#pragma once

#include "common/compute/layout.h"
#include "common/compute/strided.h"
#include "untrusted/backend/cuda/walk.h"

namespace soter::cuda {

// MakeWalk collapses a walk and makes it an argument of a kernel. Operand k of one is operand k of the other.
// Errors: kUnsupported (more axes than a kernel follows).
template <int N>
Result<Walk<N>> MakeWalk(const compute::Strided& walk) {
  CHECK(walk.strides.size() == N && walk.offsets.size() == N, "a walk of as many operands");
  Walk<N> made;
  made.count = compute::Product(walk.extents);
  if (made.count == 0) return made;
  compute::Strided collapsed = compute::Collapse(walk);
  if (collapsed.extents.size() > kMaxWalkRank) return Unsupported("more axes than a kernel follows");
  made.rank = static_cast<int>(collapsed.extents.size());
  for (int d = 0; d < made.rank; ++d) {
    made.extents[d] = collapsed.extents[static_cast<size_t>(d)];
    for (int k = 0; k < N; ++k) made.strides[k][d] = collapsed.strides[static_cast<size_t>(k)][static_cast<size_t>(d)];
  }
  for (int k = 0; k < N; ++k) made.offsets[k] = collapsed.offsets[static_cast<size_t>(k)];
  return made;
}

}  // namespace soter::cuda
