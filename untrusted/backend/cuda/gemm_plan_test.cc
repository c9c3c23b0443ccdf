#include "untrusted/backend/cuda/gemm_plan.h"

#include <gtest/gtest.h>

#include "common/compute/layout.h"
#include "common/graph/infer.h"

namespace soter::cuda {
namespace {

std::vector<double> Numbers(int64_t count, int64_t factor) {
  std::vector<double> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(static_cast<double>(i * factor % 17 - 8));
  return numbers;
}

// Compute does what a plan says, with plain loops.
std::vector<double> Compute(const GemmPlan& p, const std::vector<double>& a, const std::vector<double>& b,
                            int64_t y_count) {
  std::vector<double> y(static_cast<size_t>(y_count), -1e9);
  for (const GemmPlan::Offset& at : p.launches) {
    for (int64_t n = 0; n < p.batch; ++n) {
      for (int64_t i = 0; i < p.rows; ++i) {
        for (int64_t j = 0; j < p.columns; ++j) {
          double sum = 0;
          for (int64_t k = 0; k < p.depth; ++k) {
            int64_t ai = p.transpose_a ? k * p.rows + i : i * p.depth + k;
            int64_t bi = p.transpose_b ? j * p.depth + k : k * p.columns + j;
            sum += a.at(static_cast<size_t>(at.a + n * p.stride_a + ai)) *
                   b.at(static_cast<size_t>(at.b + n * p.stride_b + bi));
          }
          y.at(static_cast<size_t>(at.y + n * p.stride_y + i * p.columns + j)) = sum;
        }
      }
    }
  }
  return y;
}

// At reads a matrix operand of y by NumPy's rules: vectors have one missing axis, leading axes are broadcast.
double At(const Shape& shape, bool transposed, bool left, const std::vector<double>& data, const Shape& lead,
          int64_t row, int64_t column) {
  if (shape.size() == 1) return data[static_cast<size_t>(left ? column : row)];
  if (transposed) std::swap(row, column);
  int64_t offset = 0, missing = static_cast<int64_t>(lead.size()) - static_cast<int64_t>(shape.size() - 2);
  for (size_t d = 0; d + 2 < shape.size(); ++d) {
    int64_t index = lead[d + static_cast<size_t>(missing)];
    offset = offset * shape[d] + (shape[d] == 1 ? 0 : index);
  }
  return data[static_cast<size_t>((offset * shape[shape.size() - 2] + row) * shape.back() + column)];
}

struct MatMulCase {
  Shape a, b;
  MatMul op = {};
  size_t launches = 1;
};

class PlanMatMulOf : public testing::TestWithParam<MatMulCase> {};

TEST_P(PlanMatMulOf, ComputesTheProduct) {
  const MatMulCase& c = GetParam();
  TensorType types[] = {{DType::kFloat32, c.a}, {DType::kFloat32, c.b}};
  const TensorType* operands[] = {&types[0], &types[1]};
  Shape y_shape = Infer(c.op, Operands(operands, {}, 1)).value()[0].shape;
  GemmPlan plan = PlanMatMul(c.op, c.a, c.b);
  EXPECT_EQ(plan.launches.size(), c.launches);
  std::vector<double> a = Numbers(compute::Product(c.a), 5), b = Numbers(compute::Product(c.b), 3);
  std::vector<double> y = Compute(plan, a, b, compute::Product(y_shape));
  Shape lead(y_shape.begin(), y_shape.end() - (c.a.size() > 1) - (c.b.size() > 1));
  for (size_t i = 0; i < y.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), column = rest % plan.columns, row = rest / plan.columns % plan.rows;
    rest /= plan.columns * plan.rows;
    Shape index(lead.size());
    for (size_t d = lead.size(); d-- > 0; rest /= lead[d]) index[d] = rest % lead[d];
    double expected = 0;
    for (int64_t k = 0; k < plan.depth; ++k) {
      expected += At(c.a, plan.transpose_a, true, a, index, row, k) * At(c.b, plan.transpose_b, false, b, index, k, column);
    }
    EXPECT_EQ(y[i], expected) << "element " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, PlanMatMulOf,
    testing::Values(MatMulCase{{5, 7}, {7, 9}}, MatMulCase{{2, 3, 5, 7}, {2, 3, 7, 4}},
                    MatMulCase{{2, 3, 5, 7}, {7, 4}}, MatMulCase{{2, 1, 5, 7}, {3, 7, 4}, {}, 2},
                    MatMulCase{{4, 6, 16}, {4, 6, 16}, {.transpose_b = true}},
                    MatMulCase{{3, 7, 5}, {3, 7, 2}, {.transpose_a = true}}, MatMulCase{{2, 5, 7}, {7}},
                    MatMulCase{{7}, {2, 7, 3}}, MatMulCase{{9}, {9}},
                    MatMulCase{{2, 1, 4, 3, 2}, {5, 1, 2, 6}, {}, 10}));

TEST(PlanMatMul, AnEmptyBatchLaunchesNothing) { EXPECT_TRUE(PlanMatMul({}, {0, 2, 3}, {3, 4}).launches.empty()); }

TEST(PlanLinear, JoinsAllRows) {
  GemmPlan plan = PlanLinear({2, 7, 64}, {96, 64});
  EXPECT_EQ(plan.rows, 14);
  EXPECT_EQ(plan.columns, 96);
  EXPECT_EQ(plan.depth, 64);
  EXPECT_TRUE(plan.transpose_b);
}

TEST(AlignmentOf, IsWhatAllMatricesShare) {
  EXPECT_EQ(AlignmentOf(0, {0}), 256u);
  EXPECT_EQ(AlignmentOf(48, {0}), 16u);
  EXPECT_EQ(AlignmentOf(1024, {0, 36}), 4u);
}

}  // namespace
}  // namespace soter::cuda
