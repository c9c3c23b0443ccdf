// Resizing, and moves between depth and space.
#include "owner/onnx/convert.h"

namespace soter {
namespace {

Result<ResizeMode> ReadMode(const OnnxNode& node) {
  const std::string mode = TRY(node.String("mode", "nearest"));
  if (mode == "nearest") return ResizeMode::kNearest;
  if (mode == "linear" || mode == "bilinear") return ResizeMode::kLinear;
  if (mode == "cubic") return ResizeMode::kCubic;
  return Malformed("mode '" + mode + "' is not one of nearest, linear, cubic");
}

Result<ResizeCoordinates> ReadCoordinates(const OnnxNode& node) {
  const std::string name = TRY(node.String("coordinate_transformation_mode", "half_pixel"));
  if (name == "half_pixel") return ResizeCoordinates::kHalfPixel;
  if (name == "pytorch_half_pixel") return ResizeCoordinates::kPytorchHalfPixel;
  if (name == "align_corners") return ResizeCoordinates::kAlignCorners;
  if (name == "asymmetric") return ResizeCoordinates::kAsymmetric;
  return Unsupported("coordinate_transformation_mode '" + name +
                     "'; supported are half_pixel, pytorch_half_pixel, align_corners and asymmetric");
}

Result<ResizeRounding> ReadRounding(const OnnxNode& node) {
  const std::string name = TRY(node.String("nearest_mode", "round_prefer_floor"));
  if (name == "round_prefer_floor") return ResizeRounding::kRoundPreferFloor;
  if (name == "round_prefer_ceil") return ResizeRounding::kRoundPreferCeil;
  if (name == "floor") return ResizeRounding::kFloor;
  if (name == "ceil") return ResizeRounding::kCeil;
  return Malformed("nearest_mode '" + name + "' is not one of round_prefer_floor, round_prefer_ceil, floor, ceil");
}

// Upsample, and Resize of opset 10, which behaves like it.
Resize LegacyResize(ResizeMode mode) {
  return {.mode = mode, .coordinates = ResizeCoordinates::kAsymmetric, .rounding = ResizeRounding::kFloor};
}

Status ConvertUpsample(Conversion& c, const OnnxNode& node) {
  const Resize resize = LegacyResize(TRY(ReadMode(node)));
  const ValueId x = TRY(c.Input(node, 0));
  if (node.opset() >= 9) return c.EmitOutput(node, resize, {x, TRY(c.Input(node, 1))});
  const std::vector<float> scales = TRY(node.Floats("scales"));
  if (scales.empty()) return Malformed("attribute 'scales' is missing");
  const Shape shape = {static_cast<int64_t>(scales.size())};
  return c.EmitOutput(node, resize, {x, c.builder().AddConstant(Tensor::FromValues<float>(shape, scales))});
}

// An operand that is absent or an empty constant: exporters write both for "not this one".
bool IsAbsent(const Conversion& c, ValueId value) {
  return value == kNoValue || (c.Constant(value) != nullptr && c.Constant(value)->bytes().empty());
}

Status RefuseNewerResizeForms(const OnnxNode& node) {
  if (TRY(node.Flag("antialias", false))) return Unsupported("antialias is not supported");
  if (node.Has("axes")) return Unsupported("attribute 'axes'; give scales or sizes for every axis");
  const std::string policy = TRY(node.String("keep_aspect_ratio_policy", "stretch"));
  if (policy != "stretch") return Unsupported("keep_aspect_ratio_policy '" + policy + "'; supported is stretch");
  return {};
}

Status ConvertResize(Conversion& c, const OnnxNode& node) {
  const ValueId x = TRY(c.Input(node, 0));
  if (node.opset() < 11) {
    return c.EmitOutput(node, LegacyResize(TRY(ReadMode(node))), {x, TRY(c.Input(node, 1))});
  }
  TRY(RefuseNewerResizeForms(node));
  node.Ignore({"extrapolation_value"});  // of tf_crop_and_resize, which is refused
  const Resize resize{TRY(ReadMode(node)), TRY(ReadCoordinates(node)), TRY(ReadRounding(node)),
                      TRY(node.Float("cubic_coeff_a", -0.75f)), TRY(node.Flag("exclude_outside", false))};
  const ValueId scales = TRY(c.OptionalInput(node, 2)), sizes = TRY(c.Int64Input(node, 3));
  if (IsAbsent(c, scales) == IsAbsent(c, sizes)) return Malformed("needs either scales or sizes");
  if (IsAbsent(c, sizes)) return c.EmitOutput(node, resize, {x, scales});
  return c.EmitOutput(node, resize, {x, kNoValue, sizes});
}

Status ConvertDepthToSpace(Conversion& c, const OnnxNode& node) {
  const std::string mode = TRY(node.String("mode", "DCR"));
  if (mode != "DCR" && mode != "CRD") return Malformed("mode '" + mode + "' is not one of DCR, CRD");
  const DepthToSpace op{.block = TRY(node.Int("blocksize", 0)), .column_row_depth = mode == "CRD"};
  if (op.block <= 0) return Malformed("attribute 'blocksize' must be positive");
  return c.EmitOutput(node, op, {TRY(c.Input(node, 0))});
}

Status ConvertSpaceToDepth(Conversion& c, const OnnxNode& node) {
  const DepthToSpace op{.block = TRY(node.Int("blocksize", 0)), .inverse = true};
  if (op.block <= 0) return Malformed("attribute 'blocksize' must be positive");
  return c.EmitOutput(node, op, {TRY(c.Input(node, 0))});
}

constexpr OperatorRow kOperators[] = {
    {"Resize", ConvertResize},
    {"Upsample", ConvertUpsample},
    {"DepthToSpace", ConvertDepthToSpace},
    {"SpaceToDepth", ConvertSpaceToDepth},
};

}  // namespace

std::span<const OperatorRow> ImageOperators() { return kOperators; }

}  // namespace soter
