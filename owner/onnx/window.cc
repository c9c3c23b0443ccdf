#include "owner/onnx/window.h"

namespace soter {
namespace {

Result<std::vector<int64_t>> ReadPerAxis(const OnnxNode& node, const std::string& attribute, size_t count,
                                         int64_t default_value) {
  std::vector<int64_t> values = TRY(node.Ints(attribute));
  if (values.empty()) values.assign(count, default_value);
  if (values.size() != count) {
    return Malformed("attribute '" + attribute + "' has " + std::to_string(values.size()) + " entries, expected " +
                     std::to_string(count));
  }
  return values;
}

Result<AutoPad> ReadAutoPad(const OnnxNode& node) {
  const std::string name = TRY(node.String("auto_pad", "NOTSET"));
  if (name == "NOTSET" || name.empty() || name == "VALID") return AutoPad::kExplicit;
  if (name == "SAME_UPPER") return AutoPad::kSameUpper;
  if (name == "SAME_LOWER") return AutoPad::kSameLower;
  return Malformed("auto_pad '" + name + "' is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER");
}

}  // namespace

Result<Window> ReadWindow(const OnnxNode& node, std::vector<int64_t> kernel) {
  Window window;
  window.kernel = TRY(node.Ints("kernel_shape"));
  if (window.kernel.empty()) window.kernel = kernel;
  if (window.kernel.empty()) return Malformed("attribute 'kernel_shape' is missing");
  if (!kernel.empty() && window.kernel != kernel) {
    return Malformed("kernel_shape " + ShapeString(window.kernel) + " contradicts the weight, whose kernel is " +
                     ShapeString(kernel));
  }
  const size_t rank = window.kernel.size();
  window.strides = TRY(ReadPerAxis(node, "strides", rank, 1));
  window.dilations = TRY(ReadPerAxis(node, "dilations", rank, 1));
  std::vector<int64_t> pads = TRY(ReadPerAxis(node, "pads", 2 * rank, 0));
  window.auto_pad = TRY(ReadAutoPad(node));
  // With auto_pad, pads mean nothing; some exporters write them all the same.
  const bool valid = TRY(node.String("auto_pad", "")) == "VALID";
  if (valid || window.auto_pad != AutoPad::kExplicit) pads.assign(2 * rank, 0);
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<ptrdiff_t>(rank));
  window.pads_end.assign(pads.begin() + static_cast<ptrdiff_t>(rank), pads.end());
  return window;
}

}  // namespace soter
