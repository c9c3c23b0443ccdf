#pragma once

#include "trusted/plan/placement.h"

namespace soter {

// PublicPart is a model whose first operators are those of a public model, parameters included (eNNclave, AISec 2020).
struct PublicPart {
  Graph graph;
  Selection values;  // what the public operators compute, and the public parameters that they use
};

// TakePublicPart replaces the parameters of the first operators of `model` by those of `public_model`: as far as both
// have the same operators on parameters of the same shape in the same order, but never the last `private_layers`
// linear operators of `model` (at least 1) nor anything behind the first of them. The private parameters of that part
// are dropped. Small integer constants (shapes, axes, indices) must be equal.
// Errors: kInvalidArgument (the models share no linear operator: names the first difference; other inputs).
Result<PublicPart> TakePublicPart(Graph model, const Graph& public_model, uint32_t private_layers);

}  // namespace soter
