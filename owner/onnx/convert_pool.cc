// Pooling: windows, and whole images.
#include "owner/onnx/convert.h"
#include "owner/onnx/window.h"

namespace soter {
namespace {

Status EmitPool(Conversion& c, const OnnxNode& node, Pool pool) {
  pool.window = TRY(ReadWindow(node, {}));
  pool.ceil_mode = TRY(node.Flag("ceil_mode", false));
  return c.EmitOutput(node, std::move(pool), {TRY(c.Input(node, 0))});
}

Status ConvertMaxPool(Conversion& c, const OnnxNode& node) {
  node.Ignore({"storage_order"});  // of the indices
  if (!node.output(1).empty()) return Unsupported("output 1, the indices, is not supported");
  return EmitPool(c, node, {.kind = PoolKind::kMax});
}

Status ConvertAveragePool(Conversion& c, const OnnxNode& node) {
  return EmitPool(c, node, {.kind = PoolKind::kAverage,
                            .count_include_pad = TRY(node.Flag("count_include_pad", false))});
}

Status ConvertLpPool(Conversion& c, const OnnxNode& node) {
  return EmitPool(c, node, {.kind = PoolKind::kLp, .p = TRY(node.Int("p", 2))});
}

Status EmitGlobal(Conversion& c, const OnnxNode& node, ReduceKind kind) {
  return c.EmitOutput(node, Reduce{.kind = kind, .spatial = true}, {TRY(c.Input(node, 0))});
}

template <ReduceKind kKind>
Status ConvertGlobalPool(Conversion& c, const OnnxNode& node) {
  return EmitGlobal(c, node, kKind);
}

Status ConvertGlobalLpPool(Conversion& c, const OnnxNode& node) {
  const int64_t p = TRY(node.Int("p", 2));
  if (p != 1 && p != 2) return Unsupported("p = " + std::to_string(p) + "; supported are 1 and 2");
  return EmitGlobal(c, node, p == 1 ? ReduceKind::kL1 : ReduceKind::kL2);
}

constexpr OperatorRow kOperators[] = {
    {"MaxPool", ConvertMaxPool},
    {"AveragePool", ConvertAveragePool},
    {"LpPool", ConvertLpPool},
    {"GlobalAveragePool", ConvertGlobalPool<ReduceKind::kMean>},
    {"GlobalMaxPool", ConvertGlobalPool<ReduceKind::kMax>},
    {"GlobalLpPool", ConvertGlobalLpPool},
};

}  // namespace

std::span<const OperatorRow> PoolOperators() { return kOperators; }

}  // namespace soter
