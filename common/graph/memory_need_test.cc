#include "common/graph/memory_need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/graph/testing/graph_builder.h"

namespace soter {
namespace {

using ::testing::HasSubstr;

// A square of 100 rows: x [100, 1], x x^T [100, 100], and its sum over rows as the output [100].
StaticGraph Square(int64_t rows) {
  GraphBuilder b;
  ValueId x = b.Input("x", {b.Symbol("rows"), Dim::Constant(1)});
  ValueId product = b.Add(MatMul{.transpose_b = true}, {x, x});
  b.Output(b.Add(Reduce{.kind = ReduceKind::kSum, .keep_dims = false}, {product, b.Integers({1})}));
  return b.Bind({{rows, 1}}).value();
}

TEST(RequireMemory, ANodeMustFit) {
  const uint64_t need = 4 * (100 * 100 + 100);  // the product and x, which is read twice and there once
  EXPECT_TRUE(RequireMemory(Square(100), need + 8 + 400).ok());
  Status status = RequireMemory(Square(100), need - 1);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(status.error().message, HasSubstr("node 'n0' (MatMul) needs at least 40400 bytes of memory"));
}

TEST(RequireMemory, InputsAndOutputsMustFit) {
  Status status = RequireMemory(Square(100), 1000);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("weights, inputs and outputs need at least 12"));
}

TEST(RequireMemory, FarBeyondMemoryIsRefusedToo) {
  EXPECT_FALSE(RequireMemory(Square(int64_t{1} << 20), uint64_t{1} << 40).ok());
}

TEST(MachineMemory, IsKnown) {
  EXPECT_GT(MachineMemoryBytes(), uint64_t{1} << 26);
}

}  // namespace
}  // namespace soter
