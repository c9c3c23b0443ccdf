#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/tensor/tensor.h"

namespace soter::onnx_suite {

// SuiteCase is one directory of ONNX's backend test suite: model.onnx beside test_data_set_*.
struct SuiteCase {
  std::string group;  // "node", "pytorch-converted", "pytorch-operator" or "simple"
  std::string name;   // "test_abs"
  std::filesystem::path directory;

  std::filesystem::path model() const { return directory / "model.onnx"; }
};

// ListCases returns the cases under `root`, sorted by group and name. Directories without a model.onnx, which hold
// only a place to download it from, are left out.
std::vector<SuiteCase> ListCases(const std::filesystem::path& root);

// DataSet is what one run is fed and what it must answer, as import would hold them (double as float32, ...).
struct DataSet {
  std::vector<Tensor> inputs, outputs;
};

// ReadDataSets reads all data sets of a case. Errors: kUnsupported (sequences, strings), kMalformed.
Result<std::vector<DataSet>> ReadDataSets(const SuiteCase& suite_case);

// ModelSummary is what the report groups cases by.
struct ModelSummary {
  std::vector<std::string> input_names;  // of inputs that no initializer backs
  std::vector<std::string> op_types;     // each once, in the order of the nodes, without Constant and Identity
};

// Summarise reads a model's names without importing it. Errors: kMalformed.
Result<ModelSummary> Summarise(const SuiteCase& suite_case);

}  // namespace soter::onnx_suite
