#include <algorithm>
#include <cmath>

#include "tests/conformance/reference.h"

namespace soter::reference {

namespace {

double Softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

double Apply(UnaryKind kind, double x, double alpha, double beta) {
  switch (kind) {
    case UnaryKind::kRelu: return std::max(x, 0.0);
    case UnaryKind::kLeakyRelu: return x < 0 ? alpha * x : x;
    case UnaryKind::kSigmoid: return Sigmoid(x);
    case UnaryKind::kTanh: return std::tanh(x);
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kLog: return std::log(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kReciprocal: return 1.0 / x;
    case UnaryKind::kNeg: return -x;
    case UnaryKind::kAbs: return std::fabs(x);
    case UnaryKind::kErf: return std::erf(x);
    case UnaryKind::kGeluErf: return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
    case UnaryKind::kGeluTanh: return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
    case UnaryKind::kSilu: return x * Sigmoid(x);
    case UnaryKind::kHardSigmoid: return std::clamp(alpha * x + beta, 0.0, 1.0);
    case UnaryKind::kHardSwish: return x * std::clamp(x / 6.0 + 0.5, 0.0, 1.0);
    case UnaryKind::kElu: return x < 0 ? alpha * std::expm1(x) : x;
    case UnaryKind::kSelu: return beta * (x > 0 ? x : alpha * std::expm1(x));
    case UnaryKind::kCelu: return std::max(0.0, x) + std::min(0.0, alpha * std::expm1(x / alpha));
    case UnaryKind::kSoftplus: return Softplus(x);
    case UnaryKind::kSoftsign: return x / (1.0 + std::fabs(x));
    case UnaryKind::kMish: return x * std::tanh(Softplus(x));
    case UnaryKind::kThresholdedRelu: return x > alpha ? x : 0.0;
    case UnaryKind::kClip: return std::min(std::max(x, alpha), beta);
    case UnaryKind::kFloor: return std::floor(x);
    case UnaryKind::kCeil: return std::ceil(x);
    case UnaryKind::kRound: return std::nearbyint(x);
    case UnaryKind::kSign: return (x > 0) - (x < 0);
    case UnaryKind::kNot: return x == 0;
    case UnaryKind::kIsNan: return std::isnan(x);
    case UnaryKind::kIsInf: return std::isinf(x) && (x < 0 ? alpha != 0 : beta != 0);
    case UnaryKind::kSin: return std::sin(x);
    case UnaryKind::kCos: return std::cos(x);
    case UnaryKind::kTan: return std::tan(x);
    case UnaryKind::kAsin: return std::asin(x);
    case UnaryKind::kAcos: return std::acos(x);
    case UnaryKind::kAtan: return std::atan(x);
    case UnaryKind::kSinh: return std::sinh(x);
    case UnaryKind::kCosh: return std::cosh(x);
    case UnaryKind::kAsinh: return std::asinh(x);
    case UnaryKind::kAcosh: return std::acosh(x);
    case UnaryKind::kAtanh: return std::atanh(x);
    case UnaryKind::kIdentity: return x;
  }
  return x;
}

double Apply(BinaryKind kind, double a, double b, bool integer) {
  switch (kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kDiv: return integer ? std::trunc(a / b) : a / b;
    case BinaryKind::kPow: return std::pow(a, b);
    case BinaryKind::kMin: return std::min(a, b);
    case BinaryKind::kMax: return std::max(a, b);
    case BinaryKind::kMod: return a - std::floor(a / b) * b;
    case BinaryKind::kFmod: return std::fmod(a, b);
    case BinaryKind::kPRelu: return a < 0 ? a * b : a;
    case BinaryKind::kEqual: return a == b;
    case BinaryKind::kLess: return a < b;
    case BinaryKind::kLessOrEqual: return a <= b;
    case BinaryKind::kGreater: return a > b;
    case BinaryKind::kGreaterOrEqual: return a >= b;
    case BinaryKind::kAnd: return a != 0 && b != 0;
    case BinaryKind::kOr: return a != 0 || b != 0;
    case BinaryKind::kXor: return (a != 0) != (b != 0);
  }
  return 0;
}

bool IsFloating(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }

}  // namespace

Value Compute(const Unary& op, const Operands& x) {
  Value y = x.Output();
  for (size_t i = 0; i < y.data.size(); ++i)
    y.data[i] = Apply(op.kind, x[0].data[i], static_cast<double>(op.alpha), static_cast<double>(op.beta));
  return y;
}

Value Compute(const Binary& op, const Operands& x) {
  Value y = x.Output();
  bool integer = !IsFloating(x[0].type.dtype);
  ForEach(y, [&](const Shape& at, double& out) {
    out = Activate(op.activation, Apply(op.kind, x[0].Broadcast(at), x[1].Broadcast(at), integer));
  });
  return y;
}

Value Compute(const Where&, const Operands& x) {
  Value y = x.Output();
  ForEach(y, [&](const Shape& at, double& out) {
    out = x[0].Broadcast(at) != 0 ? x[1].Broadcast(at) : x[2].Broadcast(at);
  });
  return y;
}

Value Compute(const Cast& op, const Operands& x) {
  Value y = x.Output();
  for (size_t i = 0; i < y.data.size(); ++i) {
    double v = x[0].data[i];
    y.data[i] = op.to == DType::kBool ? static_cast<double>(v != 0) : IsFloating(op.to) ? v : std::trunc(v);
  }
  return y;
}

}  // namespace soter::reference
