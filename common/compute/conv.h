#pragma once

#include <optional>
#include <vector>

#include "common/compute/lower.h"
#include "common/compute/onednn.h"

// What lowering a convolution (conv.cc) and choosing its algorithm (conv_choice.cc) share.
namespace soter::compute {

struct ConvGeometry {
  Shape strides, dilations, pads_begin, pads_end;
};
ConvGeometry GeometryOf(const Window& window);

// GroupedShape splits the first axis of a weight by groups, as oneDNN wants it: [g, m / g, c / g, kernel...].
Shape GroupedShape(const Shape& weight, int64_t groups);

// Chosen is a primitive and the layouts of its input and output.
template <typename Desc>
struct Chosen {
  Desc desc;
  Layout x, y;
};
using ConvCandidate = Chosen<dnnl::convolution_forward::primitive_desc>;

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

// DirectConv is direct convolution, which computes every Conv; WinogradConv is Winograd's algorithm, where it exists.
ConvCandidate DirectConv(const UnitContext& u, const Conv& op);
std::optional<ConvCandidate> WinogradConv(const UnitContext& u, const Conv& op);

}  // namespace soter::compute
