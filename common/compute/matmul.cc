#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"

namespace soter::compute {

namespace {

// OperandDesc describes a dense operand with leading extents of 1 up to `rank`, its last two axes swapped on request.
dnnl::memory::desc OperandDesc(const Shape& shape, size_t rank, bool transpose) {
  Shape extents(rank - shape.size(), 1);
  extents.insert(extents.end(), shape.begin(), shape.end());
  Shape strides = DenseStrides(extents);
  if (transpose) {
    std::swap(extents[rank - 2], extents[rank - 1]);
    std::swap(strides[rank - 2], strides[rank - 1]);
  }
  return {extents, dnnl::memory::data_type::f32, strides};
}

}  // namespace

Status Lower(const UnitContext& u, const MatMul& op) {
  TRY(RequireFloat(u.InType(0)));
  Shape a = u.InShape(0), b = u.InShape(1);
  // A vector is a matrix of one row on the left, of one column on the right; its axis is missing from y.
  bool vector_a = a.size() == 1, vector_b = b.size() == 1;
  if (vector_a) a.insert(a.begin(), 1);
  if (vector_b) b.push_back(1);
  size_t rank = std::max(a.size(), b.size());
  Shape y = u.OutShape();
  if (vector_a) y.insert(y.end() - (vector_b ? 0 : 1), 1);
  if (vector_b) y.push_back(1);
  dnnl::memory::desc a_desc = OperandDesc(a, rank, op.transpose_a && !vector_a);
  dnnl::memory::desc b_desc = OperandDesc(b, rank, op.transpose_b && !vector_b);
  dnnl::memory::desc y_desc = OperandDesc(y, rank, false);
  dnnl::primitive_attr attributes = UserScratch();
  if (op.alpha != 1.0f) attributes.set_output_scales(0, {op.alpha});
  dnnl::matmul::primitive_desc primitive(dnnl::matmul::desc(a_desc, b_desc, y_desc), attributes, Engine());
  std::vector<Slot> slots = {{DNNL_ARG_SRC, Slot::From::kInput, 0, a_desc},
                             {DNNL_ARG_WEIGHTS, Slot::From::kInput, 1, b_desc},
                             {DNNL_ARG_DST, Slot::From::kOutput, 0, y_desc}};
  StepOptions options{.scratch_bytes = AddScratch(primitive, slots)};
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1)))};
  return u.builder.Emit(std::make_unique<OnednnKernel>(dnnl::matmul(primitive), std::move(slots)), std::move(inputs),
                        {{u.Out()}}, options);
}

}  // namespace soter::compute
