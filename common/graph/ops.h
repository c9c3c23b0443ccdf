#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "common/tensor/tensor.h"

// The canonical operators. Each struct holds an operator's attributes; operands are the node's inputs,
// in the order given beside it ("?" marks one that may be absent, as kNoValue or by a shorter list).
// Fields() lists the attributes once, in encoding order, for the encoder, the decoder and the printer
// (docs/spec/graph.md). Weights of Conv, ConvTranspose and Linear are initializers.
namespace soter {

enum class Activation : uint8_t { kNone, kRelu, kLast = kRelu };
enum class AutoPad : uint8_t { kExplicit, kSameUpper, kSameLower, kLast = kSameLower };

// Window slides over 1 to 3 spatial axes. All vectors have one entry per spatial axis.
struct Window {
  std::vector<int64_t> kernel, strides, dilations, pads_begin, pads_end;
  AutoPad auto_pad = AutoPad::kExplicit;  // kSame*: Bind replaces the pads
  bool operator==(const Window&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("kernel", s.kernel), f("strides", s.strides), f("dilations", s.dilations);
    f("pads_begin", s.pads_begin), f("pads_end", s.pads_end), f("auto_pad", s.auto_pad);
  }
};

// Conv: x [n, c, spatial...], weight [m, c / groups, kernel...], bias? [m], residual? (shape of y).
// y = activation(conv(x, weight) + bias + residual)  [n, m, spatial'...]
struct Conv {
  static constexpr const char* kName = "Conv";
  Window window;
  int64_t groups = 1;
  Activation activation = Activation::kNone;
  bool operator==(const Conv&) const = default;
  static void Fields(auto& s, auto&& f) { f("window", s.window), f("groups", s.groups), f("activation", s.activation); }
};

// ConvTranspose: x [n, c, spatial...], weight [c, m / groups, kernel...], bias? [m].
struct ConvTranspose {
  static constexpr const char* kName = "ConvTranspose";
  Window window;
  std::vector<int64_t> output_padding;
  std::vector<int64_t> output_shape;  // empty, or the spatial extents of y, from which Bind derives pads
  int64_t groups = 1;
  Activation activation = Activation::kNone;
  bool operator==(const ConvTranspose&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("window", s.window), f("output_padding", s.output_padding), f("output_shape", s.output_shape);
    f("groups", s.groups), f("activation", s.activation);
  }
};

// Linear: x [..., k], weight [n, k], bias? [n], residual? (shape of y).  y = activation(x weight^T + bias + residual)
struct Linear {
  static constexpr const char* kName = "Linear";
  Activation activation = Activation::kNone;
  bool operator==(const Linear&) const = default;
  static void Fields(auto& s, auto&& f) { f("activation", s.activation); }
};

// MatMul: a [..., m, k], b [..., k, n], NumPy broadcasting; transposes swap the last two axes first.
// y = alpha a b
struct MatMul {
  static constexpr const char* kName = "MatMul";
  bool transpose_a = false, transpose_b = false;
  float alpha = 1.0f;
  bool operator==(const MatMul&) const = default;
  static void Fields(auto& s, auto&& f) { f("transpose_a", s.transpose_a), f("transpose_b", s.transpose_b), f("alpha", s.alpha); }
};

// ChannelAffine: x [n, c, ...], scale [c], shift [c].  y = x scale + shift (a BatchNormalization that could not be folded)
struct ChannelAffine {
  static constexpr const char* kName = "ChannelAffine";
  Activation activation = Activation::kNone;
  bool operator==(const ChannelAffine&) const = default;
  static void Fields(auto& s, auto&& f) { f("activation", s.activation); }
};

enum class UnaryKind : uint8_t {
  kRelu, kLeakyRelu, kSigmoid, kTanh, kExp, kLog, kSqrt, kReciprocal, kNeg, kAbs, kErf, kGeluErf, kGeluTanh,
  kSilu, kHardSigmoid, kHardSwish, kElu, kSelu, kCelu, kSoftplus, kSoftsign, kMish, kThresholdedRelu, kClip,
  kFloor, kCeil, kRound, kSign, kNot, kIsNan, kIsInf, kSin, kCos, kTan, kAsin, kAcos, kAtan, kSinh, kCosh,
  kAsinh, kAcosh, kAtanh, kIdentity, kLast = kIdentity,
};
// Unary: y = kind(x), elementwise. alpha, beta: the ONNX attributes of the kind; for kClip the bounds.
struct Unary {
  static constexpr const char* kName = "Unary";
  UnaryKind kind = UnaryKind::kRelu;
  float alpha = 0, beta = 0;
  bool operator==(const Unary&) const = default;
  static void Fields(auto& s, auto&& f) { f("kind", s.kind), f("alpha", s.alpha), f("beta", s.beta); }
};

enum class BinaryKind : uint8_t {
  kAdd, kSub, kMul, kDiv, kPow, kMin, kMax, kMod, kFmod, kPRelu,
  kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kAnd, kOr, kXor, kLast = kXor,
};
// Binary: y = kind(a, b) with NumPy broadcasting. Comparisons and logic give bool.
struct Binary {
  static constexpr const char* kName = "Binary";
  BinaryKind kind = BinaryKind::kAdd;
  Activation activation = Activation::kNone;
  bool operator==(const Binary&) const = default;
  static void Fields(auto& s, auto&& f) { f("kind", s.kind), f("activation", s.activation); }
};

// Where: condition, a, b with NumPy broadcasting.
struct Where {
  static constexpr const char* kName = "Where";
  bool operator==(const Where&) const = default;
  static void Fields(auto&, auto&&) {}
};

enum class PoolKind : uint8_t { kMax, kAverage, kLp, kLast = kLp };
struct Pool {
  static constexpr const char* kName = "Pool";
  PoolKind kind = PoolKind::kMax;
  Window window;
  bool ceil_mode = false;
  bool count_include_pad = false;
  int64_t p = 2;  // of kLp
  bool operator==(const Pool&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("kind", s.kind), f("window", s.window), f("ceil_mode", s.ceil_mode);
    f("count_include_pad", s.count_include_pad), f("p", s.p);
  }
};

enum class ReduceKind : uint8_t {
  kSum, kMean, kMax, kMin, kProd, kL1, kL2, kLogSum, kLogSumExp, kSumSquare, kArgMax, kArgMin, kLast = kArgMin,
};
// Reduce: x, axes? (int64 values). Without axes: over all, or over none when empty_axes_is_noop.
// Global pooling is a Reduce. kArgMax and kArgMin take exactly one axis and give int64.
struct Reduce {
  static constexpr const char* kName = "Reduce";
  ReduceKind kind = ReduceKind::kMean;
  bool keep_dims = true;
  bool empty_axes_is_noop = false;
  bool select_last = false;  // of kArgMax and kArgMin
  bool spatial = false;      // reduce every axis but the first two (global pooling); then no axes operand
  bool operator==(const Reduce&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("kind", s.kind), f("keep_dims", s.keep_dims), f("empty_axes_is_noop", s.empty_axes_is_noop);
    f("select_last", s.select_last), f("spatial", s.spatial);
  }
};

// Softmax over one axis. flatten: opsets below 13, which coerce x to [prod(before axis), prod(from axis)].
struct Softmax {
  static constexpr const char* kName = "Softmax";
  int64_t axis = -1;
  bool log = false;
  bool flatten = false;
  bool operator==(const Softmax&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis), f("log", s.log), f("flatten", s.flatten); }
};

// LayerNorm: x, scale?, bias?; over the axes from `axis` on. rms: without subtracting the mean.
struct LayerNorm {
  static constexpr const char* kName = "LayerNorm";
  int64_t axis = -1;
  float epsilon = 1e-5f;
  bool rms = false;
  bool operator==(const LayerNorm&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis), f("epsilon", s.epsilon), f("rms", s.rms); }
};

// GroupNorm: x [n, c, ...], scale [c], bias [c]. groups = 0: one group per channel (InstanceNormalization).
struct GroupNorm {
  static constexpr const char* kName = "GroupNorm";
  int64_t groups = 0;
  float epsilon = 1e-5f;
  bool operator==(const GroupNorm&) const = default;
  static void Fields(auto& s, auto&& f) { f("groups", s.groups), f("epsilon", s.epsilon); }
};

// Lrn: local response normalisation across channels (ONNX LRN).
struct Lrn {
  static constexpr const char* kName = "Lrn";
  int64_t size = 5;
  float alpha = 1e-4f, beta = 0.75f, bias = 1.0f;
  bool operator==(const Lrn&) const = default;
  static void Fields(auto& s, auto&& f) { f("size", s.size), f("alpha", s.alpha), f("beta", s.beta), f("bias", s.bias); }
};

// Reshape: x, shape (int64; -1 infers, 0 copies unless allow_zero).
struct Reshape {
  static constexpr const char* kName = "Reshape";
  bool allow_zero = false;
  bool operator==(const Reshape&) const = default;
  static void Fields(auto& s, auto&& f) { f("allow_zero", s.allow_zero); }
};

// Flatten: x -> [prod(before axis), prod(from axis)]. Bind turns it, Squeeze and Unsqueeze into Reshape.
struct Flatten {
  static constexpr const char* kName = "Flatten";
  int64_t axis = 1;
  bool operator==(const Flatten&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis); }
};

// Squeeze: x, axes? (int64).   Unsqueeze: x, axes (int64).
struct Squeeze {
  static constexpr const char* kName = "Squeeze";
  bool operator==(const Squeeze&) const = default;
  static void Fields(auto&, auto&&) {}
};
struct Unsqueeze {
  static constexpr const char* kName = "Unsqueeze";
  bool operator==(const Unsqueeze&) const = default;
  static void Fields(auto&, auto&&) {}
};

// Transpose: perm empty reverses the axes.
struct Transpose {
  static constexpr const char* kName = "Transpose";
  std::vector<int64_t> perm;
  bool operator==(const Transpose&) const = default;
  static void Fields(auto& s, auto&& f) { f("perm", s.perm); }
};

struct Concat {
  static constexpr const char* kName = "Concat";
  int64_t axis = 0;
  bool operator==(const Concat&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis); }
};

// Split: x, sizes? (int64). Without sizes: into as many parts as outputs, the last one smaller.
struct Split {
  static constexpr const char* kName = "Split";
  int64_t axis = 0;
  bool operator==(const Split&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis); }
};

// Slice: x, starts, ends, axes?, steps? (int64).
struct Slice {
  static constexpr const char* kName = "Slice";
  bool operator==(const Slice&) const = default;
  static void Fields(auto&, auto&&) {}
};

enum class PadMode : uint8_t { kConstant, kReflect, kEdge, kWrap, kLast = kWrap };
// Pad: x, pads (int64, all begins then all ends), value?, axes? (int64).
struct Pad {
  static constexpr const char* kName = "Pad";
  PadMode mode = PadMode::kConstant;
  bool operator==(const Pad&) const = default;
  static void Fields(auto& s, auto&& f) { f("mode", s.mode); }
};

// Gather: data, indices (int64 or int32; negative count from the end).
struct Gather {
  static constexpr const char* kName = "Gather";
  int64_t axis = 0;
  bool elements = false;  // GatherElements
  bool operator==(const Gather&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis), f("elements", s.elements); }
};

// Expand: x, shape (int64).   Tile: x, repeats (int64).
struct Expand {
  static constexpr const char* kName = "Expand";
  bool operator==(const Expand&) const = default;
  static void Fields(auto&, auto&&) {}
};
struct Tile {
  static constexpr const char* kName = "Tile";
  bool operator==(const Tile&) const = default;
  static void Fields(auto&, auto&&) {}
};

struct Cast {
  static constexpr const char* kName = "Cast";
  DType to = DType::kFloat32;
  bool operator==(const Cast&) const = default;
  static void Fields(auto& s, auto&& f) { f("to", s.to); }
};

// ShapeOf: the extents of x from start to end (Python slicing), int64.
struct ShapeOf {
  static constexpr const char* kName = "ShapeOf";
  int64_t start = 0, end = INT64_MAX;
  bool operator==(const ShapeOf&) const = default;
  static void Fields(auto& s, auto&& f) { f("start", s.start), f("end", s.end); }
};

// Fill: shape (int64), value (one element): ConstantOfShape.
struct Fill {
  static constexpr const char* kName = "Fill";
  bool operator==(const Fill&) const = default;
  static void Fields(auto&, auto&&) {}
};

// Range: start, limit, delta (scalars). Bind must be able to evaluate it.
struct Range {
  static constexpr const char* kName = "Range";
  bool operator==(const Range&) const = default;
  static void Fields(auto&, auto&&) {}
};

// Trilu: x, k? (int64 scalar).
struct Trilu {
  static constexpr const char* kName = "Trilu";
  bool upper = true;
  bool operator==(const Trilu&) const = default;
  static void Fields(auto& s, auto&& f) { f("upper", s.upper); }
};

enum class ResizeMode : uint8_t { kNearest, kLinear, kCubic, kLast = kCubic };
enum class ResizeCoordinates : uint8_t { kHalfPixel, kPytorchHalfPixel, kAlignCorners, kAsymmetric, kLast = kAsymmetric };
enum class ResizeRounding : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil, kLast = kCeil };
// Resize: x, scales? (float32), sizes? (int64); exactly one of the two.
struct Resize {
  static constexpr const char* kName = "Resize";
  ResizeMode mode = ResizeMode::kNearest;
  ResizeCoordinates coordinates = ResizeCoordinates::kHalfPixel;
  ResizeRounding rounding = ResizeRounding::kRoundPreferFloor;
  float cubic_a = -0.75f;
  bool exclude_outside = false;
  bool operator==(const Resize&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("mode", s.mode), f("coordinates", s.coordinates), f("rounding", s.rounding);
    f("cubic_a", s.cubic_a), f("exclude_outside", s.exclude_outside);
  }
};

// DepthToSpace: x [n, c, h, w]. column_row_depth: ONNX mode CRD. inverse: SpaceToDepth.
struct DepthToSpace {
  static constexpr const char* kName = "DepthToSpace";
  int64_t block = 2;
  bool column_row_depth = false;
  bool inverse = false;
  bool operator==(const DepthToSpace&) const = default;
  static void Fields(auto& s, auto&& f) { f("block", s.block), f("column_row_depth", s.column_row_depth), f("inverse", s.inverse); }
};

// CumSum: x, axis (int64, one element). y[i] is the sum of x up to i (exclusive: before i; reverse: from the end).
struct CumSum {
  static constexpr const char* kName = "CumSum";
  bool exclusive = false, reverse = false;
  bool operator==(const CumSum&) const = default;
  static void Fields(auto& s, auto&& f) { f("exclusive", s.exclusive), f("reverse", s.reverse); }
};

// TopK: x, k (int64, one element) -> the k greatest (or least) along an axis, best first, and their int64 indices.
// Of equals the one with the lower index comes first.
struct TopK {
  static constexpr const char* kName = "TopK";
  int64_t axis = -1;
  bool largest = true;
  bool operator==(const TopK&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis), f("largest", s.largest); }
};

// GatherNd: data, indices [..., q] (int64): slices of data, after batch_dims leading axes that both share.
struct GatherNd {
  static constexpr const char* kName = "GatherNd";
  int64_t batch_dims = 0;
  bool operator==(const GatherNd&) const = default;
  static void Fields(auto& s, auto&& f) { f("batch_dims", s.batch_dims); }
};

enum class ScatterReduction : uint8_t { kNone, kAdd, kMul, kMax, kMin, kLast = kMin };
// Scatter: data, indices (int64 or int32), updates. y is data with updates put (or folded) in at the indices:
// slices named by indices [..., q] (ScatterND) or, with `elements`, single ones along `axis` (ScatterElements).
struct Scatter {
  static constexpr const char* kName = "Scatter";
  int64_t axis = 0;
  bool elements = false;
  ScatterReduction reduction = ScatterReduction::kNone;
  bool operator==(const Scatter&) const = default;
  static void Fields(auto& s, auto&& f) { f("axis", s.axis), f("elements", s.elements), f("reduction", s.reduction); }
};

enum class RecurrentKind : uint8_t { kRnn, kGru, kLstm, kLast = kLstm };
enum class GateActivation : uint8_t { kSigmoid, kTanh, kRelu, kLast = kRelu };
// Recurrent runs cells of h units over a sequence in one direction. The products with the input are a Linear before it.
//   gates [s, b, g h]  x W^T + bias; g = 1 (RNN), 3 (GRU: update, reset, hidden), 4 (LSTM: input, output, forget, cell)
//   weight [g h, h], bias? [g h] of the recurrence; lengths? [b] int64 or int32; initial? [b, h];
//   of LSTM: cell? [b, h], peephole? [3 h] (input, output, forget)
// Outputs: y [s, b, h], last [b, h], and of LSTM cell [b, h].  f: gates; g: candidate (RNN: f alone); h: LSTM's output.
struct Recurrent {
  static constexpr const char* kName = "Recurrent";
  RecurrentKind kind = RecurrentKind::kLstm;
  bool reverse = false;
  bool linear_before_reset = false;  // of GRU
  GateActivation f = GateActivation::kSigmoid, g = GateActivation::kTanh, h = GateActivation::kTanh;
  bool operator==(const Recurrent&) const = default;
  static void Fields(auto& s, auto&& v) {
    v("kind", s.kind), v("reverse", s.reverse), v("linear_before_reset", s.linear_before_reset);
    v("f", s.f), v("g", s.g), v("h", s.h);
  }
};

// Op is any operator. Its index is its number in the canonical encoding: append, never reorder.
using Op = std::variant<Conv, ConvTranspose, Linear, MatMul, ChannelAffine, Unary, Binary, Where, Pool, Reduce,
                        Softmax, LayerNorm, GroupNorm, Lrn, Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Concat,
                        Split, Slice, Pad, Gather, Expand, Tile, Cast, ShapeOf, Fill, Range, Trilu, Resize,
                        DepthToSpace, CumSum, TopK, GatherNd, Scatter, Recurrent>;

// OpName returns the operator's name as Dump prints it; for Unary, Binary, Pool and Reduce that of the kind.
const char* OpName(const Op& op);

}  // namespace soter
