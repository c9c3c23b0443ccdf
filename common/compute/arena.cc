#include "common/compute/arena.h"

#include <algorithm>
#include <numeric>

namespace soter::compute {

namespace {

constexpr size_t kAlignment = 64;

bool Overlap(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

ArenaPlan PlanArena(const std::vector<Lifetime>& lifetimes) {
  ArenaPlan plan;
  plan.offsets.resize(lifetimes.size());
  std::vector<uint32_t> by_size(lifetimes.size());
  std::iota(by_size.begin(), by_size.end(), 0u);
  std::stable_sort(by_size.begin(), by_size.end(), [&](uint32_t a, uint32_t b) {
    return lifetimes[a].size_bytes > lifetimes[b].size_bytes;
  });
  auto end_of = [&](uint32_t i) {
    return plan.offsets[i] + (lifetimes[i].size_bytes + kAlignment - 1) / kAlignment * kAlignment;
  };
  std::vector<uint32_t> placed;  // in order of offset
  for (uint32_t i : by_size) {
    size_t offset = 0;
    for (uint32_t other : placed) {
      if (!Overlap(lifetimes[i], lifetimes[other])) continue;
      if (plan.offsets[other] >= offset + lifetimes[i].size_bytes) break;
      offset = std::max(offset, end_of(other));
    }
    plan.offsets[i] = offset;
    plan.size_bytes = std::max(plan.size_bytes, end_of(i));
    auto later = [&](size_t at, uint32_t other) { return at < plan.offsets[other]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset, later), i);
  }
  return plan;
}

}  // namespace soter::compute
