#pragma once

#include <optional>
#include <span>

#include "common/graph/graph.h"

namespace soter {

// EvaluateNode computes a node with one output whose operands are all constants, of any size, by the same rules
// by which Bind evaluates small ones. `operands` follows node.inputs, with null where an operand is absent or
// unknown. It returns nothing for a node that has to stay: an operand is unknown, the operator is not one of
// these, or the result would be much larger than the operands.
// Errors: kMalformed (operands that do not fit), kExhausted.
Result<std::optional<Tensor>> EvaluateNode(const Node& node, std::span<const Tensor* const> operands);

}  // namespace soter
