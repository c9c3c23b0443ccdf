#pragma once

#include <string>
#include <vector>

#include "common/wire/control.h"
#include "tests/onnx_suite/suite_case.h"

namespace soter::onnx_suite {

// Held says which of a case's inputs were constants of the model. The suite feeds everything at run time, also
// weights, shapes and axes, which exported networks hold as constants.
enum class Held { kNothing, kAllButFirst, kEverything };

// Prepared is a case's model as one data set needs it, and what is fed to it (which the data set owns).
struct Prepared {
  Graph graph;
  std::vector<const Tensor*> inputs;
};

// Prepare imports and canonicalises. Errors: those of ImportOnnx and Canonicalise.
Result<Prepared> Prepare(const SuiteCase& suite_case, const ModelSummary& summary, const DataSet& data, Held held);

// CountLinear is how many operators of `graph` the scheme soter can draw.
size_t CountLinear(const Graph& graph);

// Run computes the outputs under `scheme`, with theta = 1 and an accelerator in this process, which `offloaded` says
// was used. Errors: those of Session.
Result<std::vector<Tensor>> Run(const Prepared& prepared, control::Scheme scheme, bool* offloaded = nullptr);

}  // namespace soter::onnx_suite
