#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"
#include "common/compute/tuning_cache.h"
#include "common/graph/op_traits.h"

// Conv and ConvTranspose on oneDNN. The library chooses the layouts of x and y for each convolution ("any"); where
// its choice is none of ours, channels last serves on every CPU. Where Winograd's algorithm (Lavin and Gray 2015)
// exists, it and direct convolution are timed once; both are right, so a clock that lies costs time only.
namespace soter::compute {

namespace {

struct ConvGeometry {
  Shape strides, dilations, pads_begin, pads_end;
};

ConvGeometry GeometryOf(const Window& window) {
  ConvGeometry geometry{window.strides, window.dilations, window.pads_begin, window.pads_end};
  for (int64_t& dilation : geometry.dilations) --dilation;  // oneDNN counts the holes
  return geometry;
}

// GroupedShape splits the first axis of a weight by groups, as oneDNN wants it: [g, m / g, c / g, kernel...].
Shape GroupedShape(const Shape& weight, int64_t groups) {
  if (groups == 1) return weight;
  Shape grouped = {groups, weight[0] / groups};
  grouped.insert(grouped.end(), weight.begin() + 1, weight.end());
  return grouped;
}

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

template <typename Desc>
struct Chosen {
  Desc desc;
  Layout x, y;
};

// Choose makes a primitive with the library's layouts, or with channels last. `make` takes the descs of x and y.
template <typename Desc, typename Make>
Chosen<Desc> Choose(const UnitContext& u, Make make) {
  Desc free = make(AnyDesc(u.InShape(0)), AnyDesc(u.OutShape()));
  std::optional<Layout> x = LayoutOfDesc(free.src_desc(), u.InType(0));
  std::optional<Layout> y = LayoutOfDesc(free.dst_desc(), u.OutType());
  if (x && y) return {free, *x, *y};
  Desc fixed = make(DescOf(u.InType(0), Layout::kNhwc), DescOf(u.OutType(), Layout::kNhwc));
  return {fixed, Layout::kNhwc, Layout::kNhwc};
}

using Forward = dnnl::convolution_forward;
using Candidate = Chosen<Forward::primitive_desc>;

// Trial is a candidate made ready to be timed, on zeros.
class Trial {
 public:
  explicit Trial(const Forward::primitive_desc& desc) : primitive_(desc) {
    Add(DNNL_ARG_SRC, desc.src_desc());
    Add(DNNL_ARG_WEIGHTS, desc.weights_desc());
    Add(DNNL_ARG_BIAS, desc.bias_desc());
    Add(DNNL_ARG_DST, desc.dst_desc());
    Add(DNNL_ARG_SCRATCHPAD, desc.scratchpad_desc());
  }

  void Run() {
    auto start = std::chrono::steady_clock::now();
    primitive_.execute(Stream(), arguments_);
    Stream().wait();
    best_ = std::min(best_, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  double best() const { return best_; }  // seconds

 private:
  void Add(int argument, const dnnl::memory::desc& of) {
    if (of.get_size() == 0) return;
    dnnl::memory memory(of, Engine());
    std::memset(memory.get_data_handle(), 0, of.get_size());
    arguments_.emplace(argument, memory);
  }

  Forward primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  double best_ = std::numeric_limits<double>::infinity();
};

bool WorthMeasuring(const UnitContext& u, const Conv& op) {
  constexpr int64_t kMulAdds = int64_t{1} << 22;  // below, a measurement costs more than it can win
  const Window& window = op.window;
  bool three_by_three = window.kernel == std::vector<int64_t>{3, 3} && window.strides == std::vector<int64_t>{1, 1} &&
                        window.dilations == std::vector<int64_t>{1, 1} && op.groups == 1;
  return three_by_three && u.builder.tuning() == Tuning::kMeasured && MulAdds(u.builder.graph(), u.node) >= kMulAdds;
}

// Extra is how many bytes more than the model's own weight a candidate packs.
size_t Extra(const UnitContext& u, const Candidate& candidate) {
  size_t own = static_cast<size_t>(Product(u.InShape(1))) * sizeof(float);
  size_t packed = candidate.desc.weights_desc().get_size();
  return packed > own ? packed - own : 0;
}

// MeasureAll times the candidates in turns, so that a machine that is busy for a moment meets all of them.
uint32_t MeasureAll(const std::vector<Candidate>& candidates) {
  constexpr int kRounds = 6;
  std::vector<Trial> trials;
  for (const Candidate& candidate : candidates) trials.emplace_back(candidate.desc);
  for (int round = 0; round < kRounds; ++round) {
    for (Trial& trial : trials) trial.Run();
  }
  auto fastest = std::ranges::min_element(trials, {}, &Trial::best);
  return static_cast<uint32_t>(fastest - trials.begin());
}

// Fastest picks among candidates by time, once for all convolutions of the same description. Where memory does not
// allow for its weights, the first candidate serves.
const Candidate& Fastest(const UnitContext& u, const std::vector<Candidate>& candidates) {
  if (candidates.size() == 1) return candidates[0];
  std::string description = "conv3x3 " + ShapeString(u.InShape(0)) + ShapeString(u.InShape(1)) +
                            ShapeString(u.OutShape()) + " threads " + std::to_string(omp_get_max_threads());
  uint32_t count = static_cast<uint32_t>(candidates.size());
  uint32_t choice = TuningCache::OfProcess().Choose(description, count, [&] { return MeasureAll(candidates); });
  return u.builder.TakeSpare(Extra(u, candidates[choice])) ? candidates[choice] : candidates[0];
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

Status Lower(const UnitContext& u, const Conv& op) {
  TRY(RequireFloat(u.InType(0)));
  ConvGeometry g = GeometryOf(op.window);
  Shape weight = GroupedShape(u.InShape(1), op.groups);
  dnnl::memory::desc bias = u.Has(2) ? DescOf(u.InType(2), Layout::kDense) : dnnl::memory::desc();
  auto make = [&](dnnl::algorithm algorithm, const dnnl::memory::desc& x, const dnnl::memory::desc& y) {
    Forward::desc desc(dnnl::prop_kind::forward_inference, algorithm, x, AnyDesc(weight), bias, y, g.strides,
                       g.dilations, g.pads_begin, g.pads_end);
    bool may_be_missing = algorithm == dnnl::algorithm::convolution_winograd;
    return Forward::primitive_desc(desc, Attributes(u), Engine(), may_be_missing);
  };
  auto direct = [&](const auto& x, const auto& y) { return make(dnnl::algorithm::convolution_direct, x, y); };
  std::vector<Candidate> candidates = {Choose<Forward::primitive_desc>(u, direct)};
  if (WorthMeasuring(u, op)) {
    dnnl::memory::desc x = DescOf(u.InType(0), Layout::kNChw16c), y = DescOf(u.OutType(), Layout::kNChw16c);
    Forward::primitive_desc winograd = make(dnnl::algorithm::convolution_winograd, x, y);
    if (winograd) candidates.push_back({winograd, Layout::kNChw16c, Layout::kNChw16c});
  }
  return EmitConvolution<Forward>(u, Fastest(u, candidates), DenseDesc(weight));
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
