#include "untrusted/backend/cuda/linear.h"

// What of the linear operators is arithmetic on shapes alone.
namespace soter::cuda {

namespace {

std::string Numbers(const std::vector<int64_t>& numbers) { return ShapeString(numbers); }

std::string Terms(const LinearTerms& terms, wire::Arithmetic arithmetic) {
  return std::string(terms.bias ? "b" : "") + (terms.residual ? "r" : "") + (terms.relu ? "a" : "") +
         std::to_string(static_cast<int>(arithmetic));
}

}  // namespace

std::string DescriptionOf(const ConvShape& shape) {
  const Window& w = shape.window;
  return Numbers(shape.x) + Numbers(shape.weight) + Numbers(shape.y) + Numbers(w.strides) + Numbers(w.dilations) +
         Numbers(w.pads_begin) + std::to_string(shape.groups) + Terms(shape.terms, shape.arithmetic);
}

std::string DescriptionOf(const GemmShape& shape) {
  const GemmPlan& p = shape.plan;
  std::vector<int64_t> numbers = {p.rows,  p.columns,  p.depth,    p.transpose_a,
                                  p.transpose_b, p.batch, p.stride_a, p.stride_b,
                                  p.stride_y};
  bool repeats = p.launches.size() > 1;  // their offsets decide how the pointers are aligned
  for (const GemmPlan::Offset& at : p.launches) {
    if (repeats) numbers.insert(numbers.end(), {at.a, at.b, at.y});
  }
  return Numbers(numbers) + Terms(shape.terms, shape.arithmetic);
}

ConvShape WithPlaneAxes(ConvShape shape) {
  if (shape.window.kernel.size() > 1) return shape;
  for (Shape* extents : {&shape.x, &shape.weight, &shape.y}) extents->insert(extents->begin() + 2, 1);
  Window& w = shape.window;
  for (auto* ones : {&w.kernel, &w.strides, &w.dilations}) ones->insert(ones->begin(), 1);
  for (auto* zeros : {&w.pads_begin, &w.pads_end}) zeros->insert(zeros->begin(), 0);
  return shape;
}

bool TransposePadsFit(const ConvShape& shape) {
  const Window& w = shape.window;
  for (size_t i = 0; i < w.kernel.size(); ++i) {
    int64_t slack = shape.y[i + 2] + 2 * w.pads_begin[i] - ((w.kernel[i] - 1) * w.dilations[i] + 1);
    if (slack < 0 || slack / w.strides[i] + 1 != shape.x[i + 2]) return false;
  }
  return true;
}

}  // namespace soter::cuda
