// Reductions along axes, and softmax.
#include "owner/onnx/convert.h"

namespace soter {
namespace {

struct ReduceRow {
  const char* op_type;
  ReduceKind kind;
  int64_t operand_since;  // the opset from which axes are an operand
};

constexpr ReduceRow kReductions[] = {
    {"ReduceSum", ReduceKind::kSum, 13},
    {"ReduceMean", ReduceKind::kMean, 18},
    {"ReduceMax", ReduceKind::kMax, 18},
    {"ReduceMin", ReduceKind::kMin, 18},
    {"ReduceProd", ReduceKind::kProd, 18},
    {"ReduceL1", ReduceKind::kL1, 18},
    {"ReduceL2", ReduceKind::kL2, 18},
    {"ReduceLogSum", ReduceKind::kLogSum, 18},
    {"ReduceLogSumExp", ReduceKind::kLogSumExp, 18},
    {"ReduceSumSquare", ReduceKind::kSumSquare, 18},
};

Status ConvertReduce(Conversion& c, const OnnxNode& node) {
  for (const ReduceRow& row : kReductions) {
    if (node.op_type() != row.op_type) continue;
    Reduce reduce{.kind = row.kind, .keep_dims = TRY(node.Flag("keepdims", true))};
    std::vector<ValueId> operands = {TRY(c.Input(node, 0))};
    if (node.opset() >= row.operand_since) {
      reduce.empty_axes_is_noop = TRY(node.Flag("noop_with_empty_axes", false));
      const ValueId axes = TRY(c.Int64Input(node, 1));
      const bool given = axes != kNoValue && !(c.Constant(axes) != nullptr && c.Constant(axes)->bytes().empty());
      if (given) operands.push_back(axes);
    } else {
      const std::vector<int64_t> axes = TRY(node.Ints("axes"));
      if (!axes.empty()) operands.push_back(c.builder().AddInt64s(axes));
    }
    return c.EmitOutput(node, reduce, std::move(operands));
  }
  CHECK(false, "the operator table and the table of reductions differ");
}

Status EmitArg(Conversion& c, const OnnxNode& node, ReduceKind kind) {
  const Reduce reduce{.kind = kind, .keep_dims = TRY(node.Flag("keepdims", true)),
                      .select_last = TRY(node.Flag("select_last_index", false))};
  const ValueId axis = c.builder().AddInt64s({TRY(node.Int("axis", 0))});
  return c.EmitOutput(node, reduce, {TRY(c.Input(node, 0)), axis});
}

Status ConvertArgMax(Conversion& c, const OnnxNode& node) { return EmitArg(c, node, ReduceKind::kArgMax); }
Status ConvertArgMin(Conversion& c, const OnnxNode& node) { return EmitArg(c, node, ReduceKind::kArgMin); }

Status EmitSoftmax(Conversion& c, const OnnxNode& node, bool log) {
  const bool flatten = node.opset() < 13;
  const Softmax softmax{TRY(node.Int("axis", flatten ? 1 : -1)), log, flatten};
  return c.EmitOutput(node, softmax, {TRY(c.Input(node, 0))});
}

Status ConvertSoftmax(Conversion& c, const OnnxNode& node) { return EmitSoftmax(c, node, /*log=*/false); }
Status ConvertLogSoftmax(Conversion& c, const OnnxNode& node) { return EmitSoftmax(c, node, /*log=*/true); }

std::vector<OperatorRow> MakeOperators() {
  std::vector<OperatorRow> rows = {{"ArgMax", ConvertArgMax},
                                   {"ArgMin", ConvertArgMin},
                                   {"Softmax", ConvertSoftmax},
                                   {"LogSoftmax", ConvertLogSoftmax}};
  for (const ReduceRow& row : kReductions) rows.push_back({row.op_type, ConvertReduce});
  return rows;
}

}  // namespace

std::span<const OperatorRow> ReduceOperators() {
  static const auto* const kOperators = new std::vector<OperatorRow>(MakeOperators());
  return *kOperators;
}

}  // namespace soter
