#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/graph/graph.h"

namespace soter {

struct InputOptions {
  std::vector<std::string> files;  // NAME=FILE.npy; FILE.npy alone where the model has one input
  bool random = false;             // for every input without a file
  uint64_t random_seed = 1;
  std::vector<std::string> dims;   // SYMBOL=EXTENT
};

// ChooseInputs returns one tensor for each input of `graph`, in its order: read from files, or random (standard
// normal; integers 0 to 9; the same at every call with the same seed). Symbols that neither a file nor `dims` fixes
// are 1. Errors: kInvalidArgument (an unknown or missing name, a wrong type or shape, a NaN or infinity: names the
// input and what it accepts), those of ReadNpyFile.
Result<std::vector<Tensor>> ChooseInputs(const Graph& graph, const InputOptions& options);

// ChooseShapes is ChooseInputs where only the shapes matter.
Result<std::vector<Shape>> ChooseShapes(const Graph& graph, const InputOptions& options);

// InputList describes the inputs that a model wants, on one line: "image: float32[batch, 1, 8, 8]".
std::string InputList(const Graph& graph);

}  // namespace soter
