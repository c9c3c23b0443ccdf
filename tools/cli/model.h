#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/graph/graph.h"
#include "owner/onnx/import.h"
#include "tools/cli/progress.h"

namespace soter {

// LoadModel reads an ONNX file as a canonical graph. `report` may be null.
// Errors: those of ImportOnnx; kMalformed where the graph breaks a rule of docs/spec/graph.md.
Result<ValidatedGraph> LoadModel(const std::string& path, ImportReport* report, Progress* progress);

// CheckShapes finds out before any process starts whether the model works on inputs of these shapes.
// Errors: those of Bind and RequireMemory.
Status CheckShapes(const ValidatedGraph& model, std::span<const Shape> shapes);

std::vector<Shape> ShapesOf(std::span<const Tensor> tensors);

}  // namespace soter
