#include "tests/onnx_suite/run_case.h"

#include <algorithm>
#include <cmath>

#include "owner/onnx/import.h"

namespace soter::onnx_suite {
namespace {

// A wrong result, as opposed to a refusal.
Error Wrong(std::string message) { return {ErrorCode::kIntegrity, std::move(message)}; }

bool IsClose(double got, double expected) {
  if (std::isnan(expected) || std::isinf(expected)) return std::isnan(expected) ? std::isnan(got) : got == expected;
  return std::abs(got - expected) <= kAbsoluteTolerance + kRelativeTolerance * std::abs(expected);
}

template <typename T>
Status CompareElements(const Tensor& got, const Tensor& expected) {
  for (size_t i = 0; i < expected.As<T>().size(); ++i) {
    const double a = static_cast<double>(got.As<T>()[i]), b = static_cast<double>(expected.As<T>()[i]);
    if (!IsClose(a, b))
      return Wrong("element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " + std::to_string(b));
  }
  return {};
}

Status Compare(const Tensor& got, const Tensor& expected) {
  if (got.type() != expected.type())
    return Wrong("is " + TypeString(got.type()) + ", expected " + TypeString(expected.type()));
  switch (expected.dtype()) {
    case DType::kFloat32: return CompareElements<float>(got, expected);
    case DType::kFloat64: return CompareElements<double>(got, expected);
    case DType::kInt8: return CompareElements<int8_t>(got, expected);
    case DType::kUint8: return CompareElements<uint8_t>(got, expected);
    case DType::kInt32: return CompareElements<int32_t>(got, expected);
    case DType::kInt64: return CompareElements<int64_t>(got, expected);
    case DType::kBool: return CompareElements<bool>(got, expected);
    case DType::kFloat16: break;
  }
  return Wrong(std::string("type ") + DTypeName(expected.dtype()) + " is compared nowhere");
}

Status CompareAll(const std::vector<Tensor>& got, const DataSet& data, const char* scheme) {
  if (got.size() != data.outputs.size()) return Wrong("the number of outputs differs");
  for (size_t i = 0; i < got.size(); ++i) {
    Status status = Compare(got[i], data.outputs[i]);
    if (!status.ok())
      return Wrong(std::string(scheme) + ": output " + std::to_string(i) + ": " + status.error().message);
  }
  return {};
}

// Whether the weights that the suite feeds are held back decides whether an operator is linear; so the masked run
// holds all but the first.
Status RunMasked(const SuiteCase& suite_case, const ModelSummary& summary, const DataSet& data, Outcome* outcome) {
  const Held held = std::max(outcome->held, Held::kAllButFirst);
  Result<Prepared> prepared = Prepare(suite_case, summary, data, held);
  if (!prepared.ok()) return {};
  outcome->linear_operators = CountLinear(prepared->graph);
  if (outcome->linear_operators == 0) return {};
  bool offloaded = false;
  Status status = CompareAll(TRY(Run(*prepared, control::Scheme::kSoter, &offloaded)), data, "soter");
  outcome->ran_masked = status.ok() && offloaded;
  return status;
}

Status RunDataSet(const SuiteCase& suite_case, const ModelSummary& summary, const DataSet& data, Outcome* outcome) {
  for (const Held held : {Held::kNothing, Held::kAllButFirst, Held::kEverything}) {
    outcome->held = held;
    Result<Prepared> prepared = Prepare(suite_case, summary, data, held);
    Result<std::vector<Tensor>> outputs =
        prepared.ok() ? Run(*prepared, control::Scheme::kMlcapsule) : Result<std::vector<Tensor>>(prepared.error());
    if (!outputs.ok() && held != Held::kEverything) continue;
    TRY(CompareAll(TRY(std::move(outputs)), data, "mlcapsule"));
    return RunMasked(suite_case, summary, data, outcome);
  }
  return {};
}

Status RunAll(const SuiteCase& suite_case, Outcome* outcome) {
  const ModelSummary summary = TRY(Summarise(suite_case));
  outcome->op_types = summary.op_types;
  Result<std::vector<DataSet>> sets = ReadDataSets(suite_case);
  // That the model is refused is a better reason than that its data cannot be read.
  if (!sets.ok()) (void)TRY(ImportOnnx(suite_case.model()));
  const std::vector<DataSet> data_sets = TRY(std::move(sets));
  if (data_sets.empty()) return Wrong("the case has no data");
  for (const DataSet& data : data_sets) TRY(RunDataSet(suite_case, summary, data, outcome));
  return {};
}

// The path of the model says nothing to a reader of the report.
std::string WithoutPath(std::string message, const SuiteCase& suite_case) {
  const std::string prefix = suite_case.model().string() + ": ";
  return message.rfind(prefix, 0) == 0 ? message.substr(prefix.size()) : message;
}

}  // namespace

Outcome RunCase(const SuiteCase& suite_case) {
  Outcome outcome{.suite_case = suite_case};
  Status status = RunAll(suite_case, &outcome);
  if (status.ok()) {
    outcome.verdict = Verdict::kPassed;
    return outcome;
  }
  outcome.verdict = status.error().code == ErrorCode::kUnsupported ? Verdict::kRefused : Verdict::kFailed;
  outcome.reason = WithoutPath(status.error().message, suite_case);
  return outcome;
}

}  // namespace soter::onnx_suite
