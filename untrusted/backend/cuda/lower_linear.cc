#include <utility>

#include "untrusted/backend/cuda/kernels/elementwise.h"
#include "untrusted/backend/cuda/kernels/movement.h"
#include "untrusted/backend/cuda/linear.h"
#include "untrusted/backend/cuda/lower.h"

// Linear operators. In float16 and float64, x and the weight are converted on the way in; what follows the product
// (bias, residual, activation) is float32 in every arithmetic.
namespace soter::cuda {

namespace {

using compute::Product;

bool Converts(const UnitContext& u) { return u.builder.product_dtype() != DType::kFloat32; }

LinearTerms TermsOf(const UnitContext& u) {
  return {.bias = u.Has(2), .residual = u.unit.residual != kNoValue, .relu = u.relu()};
}

// AddTerms appends the operands that TermsOf promises.
Status AddTerms(const UnitContext& u, std::vector<BufferId>& inputs) {
  if (u.Has(2)) inputs.push_back(TRY(u.builder.Read(u.In(2))));
  if (u.unit.residual != kNoValue) inputs.push_back(TRY(u.builder.Read(u.unit.residual)));
  return {};
}

// FinishProduct turns a product of another type into float32 and adds the terms; bias [channels], y [outer, channels,
// plane].
Status FinishProduct(const UnitContext& u, BufferId product, int64_t channels, int64_t plane) {
  Epilogue epilogue{.x_dtype = u.builder.product_dtype(), .count = u.OutCount(), .channels = channels, .plane = plane,
                    .relu = u.relu()};
  std::vector<BufferId> inputs = {product};
  LinearTerms terms = TermsOf(u);
  TRY(AddTerms(u, inputs));
  auto launch = [epilogue, terms](const Arguments& a) {
    const float* bias = terms.bias ? a.In<float>(1) : nullptr;
    const float* residual = terms.residual ? static_cast<const float*>(a.inputs.back()) : nullptr;
    return LaunchEpilogue(a.stream, epilogue, a.inputs[0], bias, residual, a.Out<float>(0));
  };
  u.builder.Emit(MakeStep(launch), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

// EmitProduct emits the step that `make` makes, with its terms where that is float32 and in a step after it otherwise.
template <typename Linear, typename Make>
Status EmitProduct(const UnitContext& u, Linear shape, std::vector<BufferId> inputs, int64_t channels, int64_t plane,
                   Make make) {
  if (Converts(u)) {
    BufferId product =
        u.builder.NewBuffer(static_cast<size_t>(u.OutCount()) * DTypeBytes(u.builder.product_dtype()));
    u.builder.Emit(make(std::move(shape)), std::move(inputs), {product});
    return FinishProduct(u, product, channels, plane);
  }
  shape.terms = TermsOf(u);
  TRY(AddTerms(u, inputs));
  u.builder.Emit(make(std::move(shape)), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

Result<std::vector<BufferId>> ReadOperands(const UnitContext& u) {
  DType dtype = u.builder.product_dtype();
  return std::vector<BufferId>{TRY(u.builder.ReadAs(u.In(0), dtype)), TRY(u.builder.ReadAs(u.In(1), dtype))};
}

// PadUnevenly puts zeros around x where the window's pads differ from begin to end, which cuDNN cannot.
void PadUnevenly(const UnitContext& u, ConvShape& shape, BufferId& x) {
  Window& w = shape.window;
  if (w.pads_begin == w.pads_end) return;
  size_t bytes = DTypeBytes(u.builder.product_dtype());
  PadShape plan{.rank = static_cast<int>(shape.x.size())};
  for (size_t d = 0; d < shape.x.size(); ++d) {
    plan.source[d] = shape.x[d];
    if (d >= 2) {
      plan.begins[d] = std::exchange(w.pads_begin[d - 2], 0);
      shape.x[d] += plan.begins[d] + std::exchange(w.pads_end[d - 2], 0);
    }
    plan.extents[d] = shape.x[d];
  }
  plan.count = Product(shape.x);
  auto launch = [plan, bytes](const Arguments& a) {
    return LaunchPad(a.stream, bytes, plan, a.inputs[0], a.outputs[0]);
  };
  BufferId padded = u.builder.NewBuffer(static_cast<size_t>(plan.count) * bytes);
  u.builder.Emit(MakeStep(launch), {x}, {padded});
  x = padded;
}

// EmitCropped computes a transposed convolution without padding, which cuDNN can, and takes from it what the uneven
// padding leaves, or zeros where the result reaches farther. Returns where the product is.
BufferId EmitCropped(const UnitContext& u, ConvShape shape, std::vector<BufferId> inputs) {
  Window& w = shape.window;
  size_t bytes = DTypeBytes(u.builder.product_dtype());
  PadShape crop{.rank = static_cast<int>(shape.y.size()), .count = Product(shape.y)};
  for (size_t d = 0; d < shape.y.size(); ++d) {
    crop.extents[d] = shape.y[d];
    if (d >= 2) {
      size_t i = d - 2;
      crop.begins[d] = -std::exchange(w.pads_begin[i], 0);
      w.pads_end[i] = 0;
      shape.y[d] = (shape.x[d] - 1) * w.strides[i] + (w.kernel[i] - 1) * w.dilations[i] + 1;
    }
    crop.source[d] = shape.y[d];
  }
  BufferId whole = u.builder.NewBuffer(static_cast<size_t>(Product(shape.y)) * bytes);
  BufferId product = u.builder.NewBuffer(static_cast<size_t>(crop.count) * bytes);
  u.builder.Emit(MakeConvTransposeStep(std::move(shape)), std::move(inputs), {whole});
  auto launch = [crop, bytes](const Arguments& a) {
    return LaunchPad(a.stream, bytes, crop, a.inputs[0], a.outputs[0]);
  };
  u.builder.Emit(MakeStep(launch), {whole}, {product});
  return product;
}

// EmitGemm: float16 operands give a float32 product, so only float64 needs a step behind.
Status EmitGemm(const UnitContext& u, GemmShape shape) {
  if (shape.plan.depth == 0) return Unsupported("a product over no elements");
  std::vector<BufferId> inputs = TRY(ReadOperands(u));
  shape.arithmetic = u.builder.arithmetic();
  if (u.builder.product_dtype() == DType::kFloat64) {
    int64_t columns = shape.plan.columns;
    return EmitProduct(u, std::move(shape), std::move(inputs), columns, 1, MakeGemmStep);
  }
  shape.terms = TermsOf(u);
  TRY(AddTerms(u, inputs));
  u.builder.Emit(MakeGemmStep(std::move(shape)), std::move(inputs), {u.builder.Define(u.Out())});
  return {};
}

}  // namespace

Status Lower(const UnitContext& u, const Conv& op) {
  TRY(RequireFloat(u.InType(0)));
  ConvShape shape{u.InShape(0), u.InShape(1), u.OutShape(), op.window, op.groups, u.builder.arithmetic(), {}};
  if (Product(shape.x) == 0 || Product(shape.weight) == 0) return Unsupported("a convolution over no elements");
  std::vector<BufferId> inputs = TRY(ReadOperands(u));
  PadUnevenly(u, shape, inputs[0]);
  int64_t channels = u.OutShape()[1], plane = Product(u.OutShape(), 2, u.OutShape().size());
  return EmitProduct(u, std::move(shape), std::move(inputs), channels, plane, MakeConvStep);
}

Status Lower(const UnitContext& u, const ConvTranspose& op) {
  TRY(RequireFloat(u.InType(0)));
  ConvShape shape{u.InShape(0), u.InShape(1), u.OutShape(), op.window, op.groups, u.builder.arithmetic(), {}};
  if (Product(shape.x) == 0 || Product(shape.weight) == 0) return Unsupported("a convolution over no elements");
  std::vector<BufferId> inputs = TRY(ReadOperands(u));
  int64_t channels = u.OutShape()[1], plane = Product(u.OutShape(), 2, u.OutShape().size());
  if (TransposePadsFit(shape)) {
    return EmitProduct(u, std::move(shape), std::move(inputs), channels, plane, MakeConvTransposeStep);
  }
  return FinishProduct(u, EmitCropped(u, std::move(shape), std::move(inputs)), channels, plane);
}

Status Lower(const UnitContext& u, const Linear&) {
  TRY(RequireFloat(u.InType(0)));
  return EmitGemm(u, {.plan = PlanLinear(u.InShape(0), u.InShape(1))});
}

Status Lower(const UnitContext& u, const MatMul& op) {
  TRY(RequireFloat(u.InType(0)));
  TRY(RequireFloat(u.InType(1)));
  return EmitGemm(u, {.plan = PlanMatMul(op, u.InShape(0), u.InShape(1)), .alpha = op.alpha});
}

}  // namespace soter::cuda
