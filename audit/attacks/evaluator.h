#pragma once

#include <map>
#include <vector>

#include "common/compute/program.h"

namespace soter::audit {

using Values = std::map<ValueId, Tensor>;

// Evaluator computes some nodes of a graph from given values, and shows every value on the way. Whoever holds a graph
// and its inputs can do that, so the accelerator sees the inside of a segment too.
class Evaluator {
 public:
  // Make prepares `nodes` (in order); `given` are the values that Run will be handed. Errors: as Program::Compile.
  static Result<Evaluator> Make(const StaticGraph& graph, std::span<const size_t> nodes, std::span<const ValueId> given);

  // Run returns all outputs of the nodes. Errors: kInvalidArgument (a value that is missing or of another type).
  Result<Values> Run(const Values& given);

 private:
  Evaluator(StaticGraph graph, Program program) : graph_(std::move(graph)), program_(std::move(program)) {}
  StaticGraph graph_;
  Program program_;
};

}  // namespace soter::audit
