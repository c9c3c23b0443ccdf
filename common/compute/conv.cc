#include "common/compute/conv.h"

#include <utility>

#include "common/compute/layout.h"

// Conv and ConvTranspose on oneDNN. The library chooses the layouts of x and y for each convolution ("any"); where
// its choice is none of ours, channels last serves on every CPU.
namespace soter::compute {

ConvGeometry GeometryOf(const Window& window) {
  ConvGeometry geometry{window.strides, window.dilations, window.pads_begin, window.pads_end};
  for (int64_t& dilation : geometry.dilations) --dilation;  // oneDNN counts the holes
  return geometry;
}

Shape GroupedShape(const Shape& weight, int64_t groups) {
  if (groups == 1) return weight;
  Shape grouped = {groups, weight[0] / groups};
  grouped.insert(grouped.end(), weight.begin() + 1, weight.end());
  return grouped;
}

namespace {

dnnl::memory::desc DenseDesc(const Shape& shape) {
  return {shape, dnnl::memory::data_type::f32, DenseStrides(shape)};
}

// Attributes add the residual, then rectify.
dnnl::primitive_attr Attributes(const UnitContext& u) {
  dnnl::primitive_attr attributes = UserScratch();
  dnnl::post_ops ops;
  if (u.unit.residual != kNoValue) ops.append_sum(1.0f);
  if (u.relu()) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  attributes.set_post_ops(ops);
  return attributes;
}

// MakeConv makes a primitive with `algorithm`; an empty one where Winograd's does not exist.
dnnl::convolution_forward::primitive_desc MakeConv(const UnitContext& u, const Conv& op, dnnl::algorithm algorithm,
                                                   const dnnl::memory::desc& x, const dnnl::memory::desc& y) {
  ConvGeometry g = GeometryOf(op.window);
  dnnl::memory::desc bias = u.Has(2) ? DescOf(u.InType(2), Layout::kDense) : dnnl::memory::desc();
  dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_inference, algorithm, x,
                                       AnyDesc(GroupedShape(u.InShape(1), op.groups)), bias, y, g.strides, g.dilations,
                                       g.pads_begin, g.pads_end);
  bool may_be_missing = algorithm == dnnl::algorithm::convolution_winograd;
  return {desc, Attributes(u), Engine(), may_be_missing};
}

// EmitConvolution packs the weights and appends the step, for both directions of convolution.
template <typename Primitive, typename Desc>
Status EmitConvolution(const UnitContext& u, const Chosen<Desc>& chosen, const dnnl::memory::desc& dense_weight) {
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0), chosen.x))};
  std::vector<Slot> slots = {{DNNL_ARG_SRC, Slot::From::kInput, 0, chosen.desc.src_desc()},
                             {DNNL_ARG_DST, Slot::From::kOutput, 0, chosen.desc.dst_desc()}};
  auto add_input = [&](int argument, BufferId buffer, const dnnl::memory::desc& desc) {
    slots.push_back({argument, Slot::From::kInput, static_cast<uint32_t>(inputs.size()), desc});
    inputs.push_back(buffer);
  };
  {
    std::shared_ptr<const Tensor> weight = TRY(u.builder.Fetch(u.In(1)));
    add_input(DNNL_ARG_WEIGHTS, TRY(Pack(u.builder, *weight, dense_weight, chosen.desc.weights_desc())),
              chosen.desc.weights_desc());
  }
  if (u.Has(2)) add_input(DNNL_ARG_BIAS, TRY(u.builder.Read(u.In(2))), DescOf(u.InType(2), Layout::kDense));
  StepOptions options{.scratch_bytes = AddScratch(chosen.desc, slots)};
  std::optional<uint32_t> residual;
  if (u.unit.residual != kNoValue) {
    residual = static_cast<uint32_t>(inputs.size());
    inputs.push_back(TRY(u.builder.Read(u.unit.residual, chosen.y)));
    options.take_over = residual;
  }
  auto kernel = std::make_unique<OnednnKernel>(Primitive(chosen.desc), std::move(slots), residual);
  return u.builder.Emit(std::move(kernel), std::move(inputs), {{u.Out(), chosen.y}}, options);
}

}  // namespace

ConvCandidate DirectConv(const UnitContext& u, const Conv& op) {
  auto make = [&](const auto& x, const auto& y) { return MakeConv(u, op, dnnl::algorithm::convolution_direct, x, y); };
  return Choose<dnnl::convolution_forward::primitive_desc>(u, make);
}

std::optional<ConvCandidate> WinogradConv(const UnitContext& u, const Conv& op) {
  constexpr Layout kLayout = Layout::kNChw16c;
  auto winograd = MakeConv(u, op, dnnl::algorithm::convolution_winograd, DescOf(u.InType(0), kLayout),
                           DescOf(u.OutType(), kLayout));
  if (!winograd) return std::nullopt;
  return ConvCandidate{winograd, kLayout, kLayout};
}

Status Lower(const UnitContext& u, const Conv& op) {
  TRY(RequireFloat(u.InType(0)));
  std::optional<ConvCandidate> winograd;
  if (u.builder.UsesWinograd(u.unit.node)) winograd = WinogradConv(u, op);
  dnnl::memory::desc dense_weight = DenseDesc(GroupedShape(u.InShape(1), op.groups));
  return EmitConvolution<dnnl::convolution_forward>(u, winograd ? *winograd : DirectConv(u, op), dense_weight);
}

Status Lower(const UnitContext& u, const ConvTranspose& op) {
  TRY(RequireFloat(u.InType(0)));
  ConvGeometry g = GeometryOf(op.window);
  // ONNX: [c, m / groups, kernel...]; oneDNN: [groups?, m / groups, c / groups, kernel...], so two axes swap.
  Shape source = GroupedShape(u.InShape(1), op.groups);
  size_t channel_axis = op.groups == 1 ? 0 : 1;
  Shape strides = DenseStrides(source), weight = source;
  std::swap(weight[channel_axis], weight[channel_axis + 1]);
  std::swap(strides[channel_axis], strides[channel_axis + 1]);
  // oneDNN has no output padding: cropping less at the end is the same.
  Shape pads_end(g.strides.size());
  for (size_t i = 0; i < pads_end.size(); ++i) {
    int64_t reach = (op.window.kernel[i] - 1) * op.window.dilations[i] + 1;
    pads_end[i] = (u.InShape(0)[i + 2] - 1) * g.strides[i] + reach - g.pads_begin[i] - u.OutShape()[i + 2];
  }
  dnnl::memory::desc bias = u.Has(2) ? DescOf(u.InType(2), Layout::kDense) : dnnl::memory::desc();
  using Transposed = dnnl::deconvolution_forward;
  auto make = [&](const dnnl::memory::desc& x, const dnnl::memory::desc& y) {
    Transposed::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct, x,
                          AnyDesc(weight), bias, y, g.strides, g.dilations, g.pads_begin, pads_end);
    return Transposed::primitive_desc(desc, Attributes(u), Engine());
  };
  dnnl::memory::desc dense(weight, dnnl::memory::data_type::f32, strides);
  return EmitConvolution<Transposed>(u, Choose<Transposed::primitive_desc>(u, make), dense);
}

}  // namespace soter::compute
