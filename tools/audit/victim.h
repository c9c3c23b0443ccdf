#pragma once

#include <filesystem>

#include "common/graph/bind.h"

namespace soter::audit {

// Victim is a private network, its public ancestor, and the data to attack and to judge with (audit/victims writes it).
struct Victim {
  std::string name;
  double accuracy = 0;          // of the victim on the test set
  std::vector<size_t> budgets;  // queries with which stealing it tells schemes apart
  std::string report;           // victim.json
  std::filesystem::path directory;
  ValidatedGraph ancestor, truth;
  Tensor test_inputs, test_labels, query_inputs, member_inputs;
};

// LoadVictim reads what audit/victims/train.py wrote for `name`. Errors: of reading; kMalformed.
Result<Victim> LoadVictim(const std::string& name, const std::filesystem::path& directory);

// LoadNetwork reads an ONNX file in canonical form.
Result<ValidatedGraph> LoadNetwork(const std::filesystem::path& path);

// Row is row `index` of the first axis, as a batch of one; RowsOf are `count` rows from `first` on.
Tensor RowsOf(const Tensor& tensor, size_t first, size_t count);
size_t RowCount(const Tensor& tensor);

}  // namespace soter::audit
