#pragma once

#include "common/graph/bind.h"

// What kind of function an operator is: this decides which masks pass through it (docs/operators.md).
namespace soter {

// IsLinear: a weight-bearing linear operator (Conv, ConvTranspose, Linear): y = W x (+ b) with constant W.
bool IsLinear(const Op& op);

// IsPositivelyHomogeneous: F(s x) = s F(x) for s > 0 when every data operand carries the same s
// (Relu, LeakyRelu, Pool, Reshape, Transpose, Concat, Add, Slice, Pad with zero, Reduce by Sum/Mean/Max/Min, ...).
// `graph` tells which operands are constants: those must be absent or pure indices or shapes.
bool IsPositivelyHomogeneous(const StaticGraph& graph, const Node& node);

// IsBilinear: F(s a, t b) = s t F(a, b) (MatMul of two data operands, Mul).
bool IsBilinear(const Op& op);

// MulAdds of one node, counting a multiply-add once; elementwise operators count 0.
int64_t MulAdds(const StaticGraph& graph, const Node& node);

}  // namespace soter
