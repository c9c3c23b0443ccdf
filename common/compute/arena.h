#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace soter::compute {

// Lifetime is a block of memory that is needed from step `first` to step `last`, both included.
struct Lifetime {
  size_t size_bytes = 0;
  uint32_t first = 0, last = 0;
};

struct ArenaPlan {
  std::vector<size_t> offsets;  // one per Lifetime, multiples of 64
  size_t size_bytes = 0;
};

// PlanArena gives every block an offset such that blocks alive at the same step do not overlap: the largest
// first, each at the lowest offset that is free (Pisarchyk and Lee 2020, "greedy by size").
ArenaPlan PlanArena(const std::vector<Lifetime>& lifetimes);

}  // namespace soter::compute
