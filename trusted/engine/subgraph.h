#pragma once

#include <functional>
#include <span>

#include "common/graph/bind.h"

namespace soter {

// Subgraph cuts the nodes listed out of `whole` as a graph of its own: `inputs` become graph inputs, `outputs` graph
// outputs; value ids stay. Errors: as Validate and Bind.
Result<StaticGraph> Subgraph(const StaticGraph& whole, std::span<const uint32_t> nodes,
                             std::span<const ValueId> inputs, std::span<const ValueId> outputs);

// ParameterUse is one float constant that a node on the accelerator needs.
struct ParameterUse {
  const Initializer& initializer;
  float factor;  // what it is multiplied with before it is uploaded
};
// Uploader makes sure that the accelerator holds a parameter and returns the id under which it does.
using Uploader = std::function<Result<WeightId>(const ParameterUse&)>;

// ScaleOf gives the scale of a value on the accelerator; 1 for everything that is not masked.
using ScaleFunction = std::function<float(ValueId)>;

// AcceleratorGraph cuts the nodes out of `whole` as the accelerator may see them: values numbered afresh, names
// gone, every float parameter uploaded under its mask and referred to by weight id; shapes and indices inline.
// Errors: those of `upload`.
Result<Graph> AcceleratorGraph(const StaticGraph& whole, std::span<const uint32_t> nodes,
                               std::span<const ValueId> inputs, std::span<const ValueId> outputs,
                               const ScaleFunction& scale, const Uploader& upload);

}  // namespace soter
