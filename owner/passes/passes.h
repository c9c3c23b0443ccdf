#pragma once

#include "common/graph/graph.h"

// The rewrites that turn an imported graph into the form that plans are made for. Each is a free function with
// its own file and test: it takes a valid graph and returns a valid graph that computes the same, with the same
// inputs and outputs. A rewrite turns the last node of a pattern into the new operator, so that the values around
// it keep their ids; what nothing needs any more is removed by RemoveDeadCode, which each pass ends with.
namespace soter {

// RemoveDeadCode drops nodes and constants that no output depends on.
Graph RemoveDeadCode(Graph graph);

// RemoveIdentity drops operators that return their operand: Identity, transposition to the same order, pooling
// over windows of one element.
Graph RemoveIdentity(Graph graph);

// FoldConstants evaluates nodes whose operands are constants (evaluate.h says which, and how large).
// Errors: kMalformed (constants that do not fit their operator), kExhausted.
Result<Graph> FoldConstants(Graph graph);

// FusePad moves a zero Pad of spatial axes into the Conv or average Pool behind it.
Graph FusePad(Graph graph);

// FoldBatchNorm multiplies a ChannelAffine into the Conv, ConvTranspose or Linear before it, when that has no
// other reader. One that stands elsewhere stays. Errors: kExhausted.
Result<Graph> FoldBatchNorm(Graph graph);

// LowerMatMulAdd makes a product with a constant matrix a Linear, and a constant added to a Linear its bias.
// Errors: kExhausted.
Result<Graph> LowerMatMulAdd(Graph graph);

// RecogniseLayerNorm finds LayerNorm and RMSNorm in the parts that exporters make of them.
Graph RecogniseLayerNorm(Graph graph);

// RecogniseGelu finds both forms of GELU (Hendrycks and Gimpel 2016) in parts.
Graph RecogniseGelu(Graph graph);

// RecogniseAttention finds softmax(scale q k^T + masks) v in parts, and makes scale and transpositions part of its
// first product.
Graph RecogniseAttention(Graph graph);

// RecogniseSilu finds x sigmoid(x) and x hard_sigmoid(x), which is HardSwish.
Graph RecogniseSilu(Graph graph);

}  // namespace soter
