#include "common/graph/ops.h"

#include <iterator>

namespace soter {
namespace {

// Each list follows its enum.
constexpr const char* kUnaryNames[] = {
    "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Exp", "Log", "Sqrt", "Reciprocal", "Neg", "Abs", "Erf", "GeluErf",
    "GeluTanh", "Silu", "HardSigmoid", "HardSwish", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Mish",
    "ThresholdedRelu", "Clip", "Floor", "Ceil", "Round", "Sign", "Not", "IsNan", "IsInf", "Sin", "Cos", "Tan", "Asin",
    "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Identity"};
constexpr const char* kBinaryNames[] = {
    "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mod", "Fmod", "PRelu",
    "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor"};
constexpr const char* kPoolNames[] = {"MaxPool", "AveragePool", "LpPool"};
constexpr const char* kReduceNames[] = {
    "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceSumSquare", "ArgMax", "ArgMin"};

template <typename Kind, size_t N>
const char* NameOf(const char* const (&names)[N], Kind kind) {
  static_assert(N == static_cast<size_t>(Kind::kLast) + 1);
  return kind <= Kind::kLast ? names[static_cast<size_t>(kind)] : "unknown";
}

struct NameVisitor {
  template <typename T>
  const char* operator()(const T&) const { return T::kName; }
  const char* operator()(const Unary& op) const { return NameOf(kUnaryNames, op.kind); }
  const char* operator()(const Binary& op) const { return NameOf(kBinaryNames, op.kind); }
  const char* operator()(const Pool& op) const { return NameOf(kPoolNames, op.kind); }
  const char* operator()(const Reduce& op) const { return NameOf(kReduceNames, op.kind); }
};

}  // namespace

const char* OpName(const Op& op) { return std::visit(NameVisitor{}, op); }

}  // namespace soter
