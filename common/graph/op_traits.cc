#include "common/graph/op_traits.h"

#include <algorithm>
#include <cmath>

#include "common/base/checked.h"

namespace soter {
namespace {

int64_t SaturatingMul(int64_t a, int64_t b) { return CheckedMul(a, b).value_or(INT64_MAX); }

int64_t Product(const Shape& shape) { return ElementCount(shape).value(); }  // types of a StaticGraph are sane

// HomogeneityOf answers IsPositivelyHomogeneous for one operator.
class HomogeneityOf {
 public:
  HomogeneityOf(const StaticGraph& graph, const Node& node) : graph_(graph), node_(node) {}

  // The rest either has parameters, is not of degree one, or gives no scaled numbers.
  bool operator()(const auto&) const { return false; }

  bool operator()(const Unary& op) const {
    switch (op.kind) {
      case UnaryKind::kRelu: case UnaryKind::kLeakyRelu: case UnaryKind::kNeg: case UnaryKind::kAbs:
      case UnaryKind::kIdentity:
        return AllData(0);
      case UnaryKind::kClip: return AllData(0) && op.alpha == 0 && op.beta == INFINITY;
      default: return false;
    }
  }
  bool operator()(const Binary& op) const {
    return AllData(0) && (op.kind == BinaryKind::kAdd || op.kind == BinaryKind::kSub || op.kind == BinaryKind::kMin ||
                          op.kind == BinaryKind::kMax);
  }
  bool operator()(const Where&) const { return AllData(1); }
  bool operator()(const Pool&) const { return AllData(0); }
  bool operator()(const Reduce& op) const {
    switch (op.kind) {
      case ReduceKind::kSum: case ReduceKind::kMean: case ReduceKind::kMax: case ReduceKind::kMin:
      case ReduceKind::kL1: case ReduceKind::kL2:
        return IsData(0);
      default: return false;
    }
  }
  bool operator()(const Pad& op) const { return IsData(0) && (op.mode != PadMode::kConstant || PadsWithZero()); }
  bool operator()(const Concat&) const { return AllData(0); }
  bool operator()(const Reshape&) const { return IsData(0); }
  bool operator()(const Flatten&) const { return IsData(0); }
  bool operator()(const Squeeze&) const { return IsData(0); }
  bool operator()(const Unsqueeze&) const { return IsData(0); }
  bool operator()(const Transpose&) const { return IsData(0); }
  bool operator()(const Split&) const { return IsData(0); }
  bool operator()(const Slice&) const { return IsData(0); }
  bool operator()(const Gather&) const { return IsData(0); }
  bool operator()(const Expand&) const { return IsData(0); }
  bool operator()(const Tile&) const { return IsData(0); }
  bool operator()(const Trilu&) const { return IsData(0); }
  bool operator()(const Resize&) const { return IsData(0); }
  bool operator()(const DepthToSpace&) const { return IsData(0); }

 private:
  // IsData: a number that depends on the graph's inputs, so that it can carry a scale.
  bool IsData(size_t i) const {
    ValueId value = node_.inputs[i];
    DType dtype = graph_.type(value).dtype;
    bool is_float = dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16;
    return is_float && graph_.initializer(value) == nullptr;
  }
  bool AllData(size_t from) const {
    for (size_t i = from; i < node_.inputs.size(); ++i)
      if (!IsData(i)) return false;
    return true;
  }
  bool PadsWithZero() const {
    if (node_.inputs.size() < 3 || node_.inputs[2] == kNoValue) return true;
    const Tensor* value = graph_.constant(node_.inputs[2]);
    return value != nullptr && std::ranges::all_of(value->bytes(), [](std::byte b) { return b == std::byte{0}; });
  }

  const StaticGraph& graph_;
  const Node& node_;
};

class CountMulAdds {
 public:
  CountMulAdds(const StaticGraph& graph, const Node& node) : graph_(graph), node_(node) {}

  int64_t operator()(const auto&) const { return 0; }
  int64_t operator()(const Conv&) const { return SaturatingMul(Product(Output()), TapsPerChannel()); }
  int64_t operator()(const ConvTranspose&) const { return SaturatingMul(Product(Operand(0)), TapsPerChannel()); }
  int64_t operator()(const Linear&) const { return SaturatingMul(Product(Output()), Operand(0).back()); }
  int64_t operator()(const MatMul& op) const {
    const Shape& a = Operand(0);
    return SaturatingMul(Product(Output()), op.transpose_a ? a.end()[-2] : a.back());
  }

 private:
  const Shape& Operand(size_t i) const { return graph_.type(node_.inputs[i]).shape; }
  const Shape& Output() const { return graph_.type(node_.outputs[0]).shape; }
  // Weights per entry of their leading axis: how often each output (or, transposed, each input) is used.
  int64_t TapsPerChannel() const {
    const Shape& weight = Operand(1);
    return Product(Shape(weight.begin() + 1, weight.end()));
  }

  const StaticGraph& graph_;
  const Node& node_;
};

}  // namespace

bool IsLinear(const Op& op) {
  return std::holds_alternative<Conv>(op) || std::holds_alternative<ConvTranspose>(op) ||
         std::holds_alternative<Linear>(op);
}

bool IsPositivelyHomogeneous(const StaticGraph& graph, const Node& node) {
  return std::visit(HomogeneityOf(graph, node), node.op);
}

bool IsBilinear(const Op& op) {
  if (const Binary* binary = std::get_if<Binary>(&op))
    return binary->kind == BinaryKind::kMul && binary->activation == Activation::kNone;
  return std::holds_alternative<MatMul>(op);
}

int64_t MulAdds(const StaticGraph& graph, const Node& node) { return std::visit(CountMulAdds(graph, node), node.op); }

}  // namespace soter
