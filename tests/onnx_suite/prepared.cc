#include "tests/onnx_suite/prepared.h"

#include <algorithm>

#include "common/graph/op_traits.h"
#include "owner/onnx/import.h"
#include "owner/passes/canonicalise.h"
#include "tests/engine/in_process_accelerator.h"
#include "trusted/engine/session.h"

namespace soter::onnx_suite {

Result<Prepared> Prepare(const SuiteCase& suite_case, const ModelSummary& summary, const DataSet& data, Held held) {
  Prepared prepared;
  ImportOptions options;
  for (size_t i = 0; i < std::min(summary.input_names.size(), data.inputs.size()); ++i) {
    if (held == Held::kEverything || (held == Held::kAllButFirst && i > 0))
      options.fixed_inputs.emplace(summary.input_names[i], data.inputs[i].Clone());
    else
      prepared.inputs.push_back(&data.inputs[i]);
  }
  prepared.graph = TRY(Canonicalise(TRY(ImportOnnx(suite_case.model(), options))));
  return prepared;
}

// Run computes the outputs under `scheme`.
Result<std::vector<Tensor>> Run(const Prepared& prepared, control::Scheme scheme, bool* offloaded) {
  InProcessAccelerator::Record record;
  control::Settings settings{.scheme = scheme, .theta = 1.0, .check = control::Check::kNone, .threads = 1};
  const auto connect = [&record]() -> Result<std::unique_ptr<Accelerator>> {
    return std::unique_ptr<Accelerator>(std::make_unique<InProcessAccelerator>(record));
  };
  std::unique_ptr<Session> session =
      TRY(Session::Create(TRY(ValidatedGraph::Validate(prepared.graph)), settings, connect));
  control::RunRequest request;
  for (const Tensor* input : prepared.inputs) request.inputs.push_back(input->Clone());
  control::RunReport report = TRY(session->Run(request));
  if (offloaded != nullptr) *offloaded = record.starts > 0;
  std::vector<Tensor> outputs;
  for (control::NamedTensor& output : report.outputs) outputs.push_back(std::move(output.tensor));
  return outputs;
}

size_t CountLinear(const Graph& graph) {
  return static_cast<size_t>(std::ranges::count_if(graph.nodes, [](const Node& node) { return IsLinear(node.op); }));
}

}  // namespace soter::onnx_suite
