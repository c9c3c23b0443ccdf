#pragma once

#include <vector>

#include "common/graph/ops.h"

namespace soter::cuda {

// GemmPlan is a matrix product as launches of a strided batch; all matrices are row-major.
//   a [rows, depth] (stored [depth, rows] when transpose_a)     b [depth, columns] (stored [columns, depth] ...)
//   y [rows, columns]
struct GemmPlan {
  int64_t rows = 1, columns = 1, depth = 1;
  bool transpose_a = false, transpose_b = false;
  int64_t batch = 1;                               // matrices of one launch
  int64_t stride_a = 0, stride_b = 0, stride_y = 0;  // elements from one to the next; 0: the same for all
  struct Offset {
    int64_t a = 0, b = 0, y = 0;
    bool operator==(const Offset&) const = default;
  };
  std::vector<Offset> launches = {{}};             // where each launch begins, in elements

  int64_t a_elements() const { return rows * depth; }
  int64_t b_elements() const { return depth * columns; }
  int64_t y_elements() const { return rows * columns; }
};

// PlanMatMul follows NumPy's rules: vectors become matrices, leading axes are broadcast. As many of them as have
// even strides in all three tensors become one launch.
GemmPlan PlanMatMul(const MatMul& op, const Shape& a, const Shape& b);

// PlanLinear multiplies x [..., k] by the transpose of weight [n, k].
GemmPlan PlanLinear(const Shape& x, const Shape& weight);

// AlignmentOf is the largest power of two, at most 256, that divides where each matrix of an operand begins, given
// in bytes: its stride, and its offset in each launch.
uint32_t AlignmentOf(int64_t stride_bytes, const std::vector<int64_t>& offsets_bytes);

}  // namespace soter::cuda
