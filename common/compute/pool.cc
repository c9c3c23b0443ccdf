#include <cmath>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"

// Pool: oneDNN for max and average windows that it understands, plain loops for the rest.
namespace soter::compute {

namespace {

// PlainPool walks windows over dense [n, c, spatial...]; spatial axes are padded to three by leading extents of 1.
struct PlainPool {
  PoolKind kind;
  int64_t planes, p;
  bool count_include_pad;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3];

  void operator()(const Arguments& a) const {
    int64_t in_plane = in[0] * in[1] * in[2], out_plane = out[0] * out[1] * out[2];
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < planes; ++plane) {
      const float* x = a.In<float>(0) + plane * in_plane;
      float* y = a.Out<float>(0) + plane * out_plane;
      for (int64_t i = 0; i < out[0]; ++i)
        for (int64_t j = 0; j < out[1]; ++j)
          for (int64_t k = 0; k < out[2]; ++k) *y++ = At(x, {i, j, k});
    }
  }

  struct Range {
    int64_t begin, end, padded;  // taps inside the tensor; taps inside the tensor and its padding
  };
  Range TapsOf(int axis, int64_t position) const {
    int64_t start = position * stride[axis] - pad[axis];
    Range range{kernel[axis], 0, 0};
    for (int64_t t = 0; t < kernel[axis]; ++t) {
      int64_t at = start + t * dilation[axis];
      if (at < in[axis] + pad_end[axis]) ++range.padded;
      if (at < 0 || at >= in[axis]) continue;
      range.begin = std::min(range.begin, t);
      range.end = t + 1;
    }
    return range;
  }

  float At(const float* x, const int64_t (&position)[3]) const {
    Range taps[3] = {TapsOf(0, position[0]), TapsOf(1, position[1]), TapsOf(2, position[2])};
    float most = -INFINITY;
    double sum = 0;
    for (int64_t i = taps[0].begin; i < taps[0].end; ++i)
      for (int64_t j = taps[1].begin; j < taps[1].end; ++j)
        for (int64_t k = taps[2].begin; k < taps[2].end; ++k) {
          float value = x[(Index(0, position, i) * in[1] + Index(1, position, j)) * in[2] + Index(2, position, k)];
          most = std::max(most, value);
          sum +=
              kind == PoolKind::kLp ? std::pow(std::fabs(static_cast<double>(value)), static_cast<double>(p)) : value;
        }
    if (kind == PoolKind::kMax) return most;
    if (kind == PoolKind::kLp) return static_cast<float>(std::pow(sum, 1.0 / static_cast<double>(p)));
    int64_t count = 1;
    for (const Range& range : taps)
      count *= count_include_pad ? range.padded : std::max<int64_t>(range.end - range.begin, 0);
    return static_cast<float>(sum / static_cast<double>(std::max<int64_t>(count, 1)));
  }

  int64_t Index(int axis, const int64_t (&position)[3], int64_t tap) const {
    return position[axis] * stride[axis] - pad[axis] + tap * dilation[axis];
  }
};

PlainPool MakePlain(const UnitContext& u, const Pool& op) {
  PlainPool pool{.kind = op.kind,
                 .planes = u.InShape(0)[0] * u.InShape(0)[1],
                 .p = op.p,
                 .count_include_pad = op.count_include_pad};
  size_t spatial = op.window.kernel.size();
  for (size_t axis = 0; axis < 3; ++axis) {
    bool real = axis + spatial >= 3;
    size_t i = axis + spatial - 3;
    pool.in[axis] = real ? u.InShape(0)[i + 2] : 1;
    pool.out[axis] = real ? u.OutShape()[i + 2] : 1;
    pool.kernel[axis] = real ? op.window.kernel[i] : 1;
    pool.stride[axis] = real ? op.window.strides[i] : 1;
    pool.dilation[axis] = real ? op.window.dilations[i] : 1;
    pool.pad[axis] = real ? op.window.pads_begin[i] : 0;
    pool.pad_end[axis] = real ? op.window.pads_end[i] : 0;
  }
  return pool;
}

// Reach returns the padding after the end that the last window touches; more than the attribute in ceil mode.
Shape Reach(const UnitContext& u, const Pool& op) {
  Shape reach = op.window.pads_end;
  for (size_t i = 0; i < reach.size(); ++i) {
    int64_t last = (u.OutShape()[i + 2] - 1) * op.window.strides[i] + op.window.kernel[i];
    reach[i] = std::max(reach[i], last - u.InShape(0)[i + 2] - op.window.pads_begin[i]);
  }
  return reach;
}

bool OnednnKnows(const Pool& op, const Shape& reach) {
  if (op.kind == PoolKind::kLp) return false;
  for (size_t i = 0; i < reach.size(); ++i) {
    if (op.window.dilations[i] != 1) return false;
    if (op.window.pads_begin[i] >= op.window.kernel[i] || reach[i] >= op.window.kernel[i]) return false;
  }
  // oneDNN counts what ceil mode adds as padding; ONNX does not.
  return op.kind == PoolKind::kMax || !op.count_include_pad || reach == op.window.pads_end;
}

Status LowerOnednn(const UnitContext& u, const Pool& op, const Shape& reach, Layout layout) {
  using Forward = dnnl::pooling_forward;
  dnnl::algorithm algorithm = op.kind == PoolKind::kMax      ? dnnl::algorithm::pooling_max
                              : op.count_include_pad         ? dnnl::algorithm::pooling_avg_include_padding
                                                             : dnnl::algorithm::pooling_avg_exclude_padding;
  dnnl::memory::desc x = DescOf(u.InType(0), layout), y = DescOf(u.OutType(), layout);
  Forward::desc desc(dnnl::prop_kind::forward_inference, algorithm, x, y, op.window.strides, op.window.kernel,
                     op.window.pads_begin, reach);
  Forward::primitive_desc primitive(desc, UserScratch(), Engine());
  std::vector<Slot> slots = {{DNNL_ARG_SRC, Slot::From::kInput, 0, x}, {DNNL_ARG_DST, Slot::From::kOutput, 0, y}};
  StepOptions options{.scratch_bytes = AddScratch(primitive, slots)};
  return u.builder.Emit(std::make_unique<OnednnKernel>(Forward(primitive), std::move(slots)),
                        {TRY(u.builder.Read(u.In(0), layout))}, {{u.Out(), layout}}, options);
}

}  // namespace

Status Lower(const UnitContext& u, const Pool& op) {
  TRY(RequireFloat(u.InType(0)));
  Shape reach = Reach(u, op);
  if (OnednnKnows(op, reach)) return LowerOnednn(u, op, reach, u.builder.LayoutOf(u.In(0)));
  return u.builder.Emit(MakeKernel(MakePlain(u, op)), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

}  // namespace soter::compute
