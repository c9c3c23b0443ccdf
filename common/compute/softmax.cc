#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"

namespace soter::compute {

namespace {

// Dense3 sees a dense tensor as [before axis, axis, after axis].
Shape Dense3(const Shape& shape, size_t axis, bool flatten) {
  int64_t before = Product(shape, 0, axis);
  if (flatten) return {before, Product(shape, axis, shape.size()), 1};
  return {before, shape[axis], Product(shape, axis + 1, shape.size())};
}

template <typename Forward>
Status EmitSoftmax(const UnitContext& u, const dnnl::memory::desc& desc) {
  typename Forward::desc forward(dnnl::prop_kind::forward_inference, desc, 1);
  typename Forward::primitive_desc primitive(forward, UserScratch(), Engine());
  std::vector<Slot> slots = {{DNNL_ARG_SRC, Slot::From::kInput, 0, desc},
                             {DNNL_ARG_DST, Slot::From::kOutput, 0, desc}};
  StepOptions options{.scratch_bytes = AddScratch(primitive, slots)};
  return u.builder.Emit(std::make_unique<OnednnKernel>(Forward(primitive), std::move(slots)),
                        {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}}, options);
}

}  // namespace

Status Lower(const UnitContext& u, const Softmax& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  size_t axis = NormalAxis(op.axis, shape.size());
  Shape view = shape.empty() ? Shape{1, 1} : Dense3(shape, axis, op.flatten);
  if (view.back() == 1 && view.size() == 3) view.pop_back();
  dnnl::memory::desc desc = DescOf({DType::kFloat32, view}, Layout::kDense);
  if (op.log) return EmitSoftmax<dnnl::logsoftmax_forward>(u, desc);
  return EmitSoftmax<dnnl::softmax_forward>(u, desc);
}

}  // namespace soter::compute
