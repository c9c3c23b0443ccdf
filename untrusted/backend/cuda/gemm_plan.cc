#include "untrusted/backend/cuda/gemm_plan.h"

#include <algorithm>
#include <numeric>

#include "common/compute/layout.h"
#include "common/compute/strided.h"

namespace soter::cuda {

namespace {

using compute::Product;

Shape LeadingAxes(const Shape& shape) {
  return shape.size() < 2 ? Shape{} : Shape(shape.begin(), shape.end() - 2);
}

Shape BroadcastExtents(const Shape& a, const Shape& b) {
  Shape extents(std::max(a.size(), b.size()), 1);
  for (const Shape* shape : {&a, &b}) {
    size_t lead = extents.size() - shape->size();
    for (size_t d = 0; d < shape->size(); ++d) {
      if ((*shape)[d] != 1) extents[lead + d] = (*shape)[d];
    }
  }
  return extents;
}

void Scale(Shape& strides, int64_t factor) {
  for (int64_t& stride : strides) stride *= factor;
}

// PlanBatch makes the innermost collapsed axis the batch of one launch and enumerates the others.
void PlanBatch(const Shape& a, const Shape& b, GemmPlan& plan) {
  Shape extents = BroadcastExtents(a, b);
  if (Product(extents) == 0) {
    plan.launches.clear();
    return;
  }
  compute::Strided walk{.extents = extents,
                        .strides = {compute::BroadcastStrides(a, extents), compute::BroadcastStrides(b, extents),
                                    compute::DenseStrides(extents)},
                        .offsets = {0, 0, 0}};
  Scale(walk.strides[0], plan.a_elements());
  Scale(walk.strides[1], plan.b_elements());
  Scale(walk.strides[2], plan.y_elements());
  walk = compute::Collapse(walk);
  plan.batch = walk.extents.back();
  if (plan.batch > 1) {
    plan.stride_a = walk.strides[0].back();
    plan.stride_b = walk.strides[1].back();
    plan.stride_y = walk.strides[2].back();
  }
  plan.launches.clear();
  for (int64_t i = 0; i < Product(walk.extents) / plan.batch; ++i) {
    auto [at_a, at_b, at_y] = compute::RowOffsets<3>(walk, 1, i);
    plan.launches.push_back({at_a, at_b, at_y});
  }
}

}  // namespace

GemmPlan PlanMatMul(const MatMul& op, const Shape& a, const Shape& b) {
  // A vector has no second axis to swap: it is a row on the left and a column on the right.
  GemmPlan plan{.transpose_a = a.size() > 1 && op.transpose_a, .transpose_b = b.size() > 1 && op.transpose_b};
  Shape left = a.size() > 1 ? Shape{a[a.size() - 2], a.back()} : Shape{1, a.back()};
  Shape right = b.size() > 1 ? Shape{b[b.size() - 2], b.back()} : Shape{b.back(), 1};
  plan.rows = plan.transpose_a ? left[1] : left[0];
  plan.depth = plan.transpose_a ? left[0] : left[1];
  plan.columns = plan.transpose_b ? right[0] : right[1];
  PlanBatch(LeadingAxes(a), LeadingAxes(b), plan);
  return plan;
}

GemmPlan PlanLinear(const Shape& x, const Shape& weight) {
  return {.rows = Product(x, 0, x.size() - 1), .columns = weight[0], .depth = weight[1], .transpose_b = true};
}

uint32_t AlignmentOf(int64_t stride_bytes, const std::vector<int64_t>& offsets_bytes) {
  int64_t common = std::gcd(int64_t{256}, stride_bytes);
  for (int64_t offset : offsets_bytes) common = std::gcd(common, offset);
  return static_cast<uint32_t>(common);
}

}  // namespace soter::cuda
