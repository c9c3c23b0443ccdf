#include "common/compute/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace soter::compute {
namespace {

void ExpectNoOverlap(const std::vector<Lifetime>& blocks, const ArenaPlan& plan) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(plan.offsets[i] % 64, 0u);
    EXPECT_LE(plan.offsets[i] + blocks[i].size_bytes, plan.size_bytes);
    for (size_t j = 0; j < i; ++j) {
      bool together = blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last;
      bool apart = plan.offsets[i] + blocks[i].size_bytes <= plan.offsets[j] ||
                   plan.offsets[j] + blocks[j].size_bytes <= plan.offsets[i];
      EXPECT_TRUE(!together || apart) << "blocks " << i << " and " << j;
    }
  }
}

TEST(Arena, ReusesMemoryOfWhatIsNoLongerNeeded) {
  // A chain: block i lives from step i to step i + 1, so two blocks are enough.
  std::vector<Lifetime> chain;
  for (uint32_t i = 0; i < 10; ++i) chain.push_back({1000, i, i + 1});
  ArenaPlan plan = PlanArena(chain);
  ExpectNoOverlap(chain, plan);
  EXPECT_EQ(plan.size_bytes, 2048u);
}

TEST(Arena, FillsGapsBetweenBlocks) {
  std::vector<Lifetime> blocks = {{640, 0, 9}, {640, 0, 1}, {640, 0, 9}, {320, 5, 6}};
  ArenaPlan plan = PlanArena(blocks);
  ExpectNoOverlap(blocks, plan);
  EXPECT_EQ(plan.size_bytes, 3u * 640);
}

TEST(Arena, NeverOverlapsLivingBlocks) {
  std::mt19937 engine(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<Lifetime> blocks;
    for (int i = 0; i < 40; ++i) {
      uint32_t first = static_cast<uint32_t>(engine() % 30);
      blocks.push_back({engine() % 5000, first, first + static_cast<uint32_t>(engine() % 10)});
    }
    ExpectNoOverlap(blocks, PlanArena(blocks));
  }
}

TEST(Arena, OfNothingIsEmpty) { EXPECT_EQ(PlanArena({}).size_bytes, 0u); }

}  // namespace
}  // namespace soter::compute
