// networks DIRECTORY: runs every network below it (in the layout of ONNX's backend suite) in mlcapsule, insecure and
// soter with theta = 1, and compares with the answers stored beside it.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "tests/onnx_suite/prepared.h"

namespace soter {
namespace {

using control::Scheme;
using onnx_suite::DataSet;
using onnx_suite::Prepared;
using onnx_suite::SuiteCase;

constexpr double kRelativeError = 1e-4;

constexpr std::pair<const char*, Scheme> kSchemes[] = {
    {"mlcapsule", Scheme::kMlcapsule}, {"insecure", Scheme::kInsecure}, {"soter", Scheme::kSoter}};

// The largest difference over the largest element of the truth.
Result<double> RelativeError(const Tensor& got, const Tensor& truth) {
  if (got.type() != truth.type())
    return IntegrityError("is " + TypeString(got.type()) + ", expected " + TypeString(truth.type()));
  if (truth.dtype() != DType::kFloat32) return std::ranges::equal(got.bytes(), truth.bytes()) ? 0.0 : INFINITY;
  double difference = 0, largest = 0;
  for (size_t i = 0; i < truth.As<float>().size(); ++i) {
    const double a = got.As<float>()[i], b = truth.As<float>()[i];
    if (!std::isfinite(a)) return IntegrityError("element " + std::to_string(i) + " is not finite");
    difference = std::max(difference, std::abs(a - b));
    largest = std::max(largest, std::abs(b));
  }
  if (largest == 0) return IntegrityError("every expected element is zero, which shows nothing");
  return difference / largest;
}

Result<double> WorstError(const Prepared& prepared, const DataSet& data, Scheme scheme) {
  bool offloaded = false;
  const std::vector<Tensor> outputs = TRY(onnx_suite::Run(prepared, scheme, &offloaded));
  if (outputs.size() != data.outputs.size()) return IntegrityError("the number of outputs differs");
  if (scheme == Scheme::kSoter && !offloaded && onnx_suite::CountLinear(prepared.graph) > 0)
    return IntegrityError("nothing was offloaded");
  double worst = 0;
  for (size_t i = 0; i < outputs.size(); ++i)
    worst = std::max(worst, TRY(RelativeError(outputs[i], data.outputs[i])));
  return worst;
}

Status CheckNetwork(const SuiteCase& network) {
  const auto summary = TRY(Summarise(network));
  const std::vector<DataSet> sets = TRY(ReadDataSets(network));
  if (sets.empty()) return Malformed("there is no data beside it");
  for (const DataSet& data : sets) {
    const Prepared prepared = TRY(Prepare(network, summary, data, onnx_suite::Held::kNothing));
    for (const auto& [name, scheme] : kSchemes) {
      Result<double> error = WorstError(prepared, data, scheme);
      if (!error.ok()) return Annotate(std::move(error).error(), name);
      std::cout << " " << name << " " << *error;
      if (!(*error < kRelativeError)) return IntegrityError(std::string(name) + ": the error is too large");
    }
  }
  return {};
}

int Main(int argc, char** argv) {
  if (argc != 2 || !std::filesystem::is_directory(argv[1])) {
    std::cerr << "usage: networks DIRECTORY\n";
    return 2;
  }
  size_t passed = 0, failed = 0;
  for (const SuiteCase& network : onnx_suite::ListCases(argv[1])) {
    std::cout << network.group << "/" << network.name << ":" << std::flush;
    Status status = CheckNetwork(network);
    ++(status.ok() ? passed : failed);
    std::cout << (status.ok() ? " ok" : " FAILED: " + status.error().message) << std::endl;
  }
  std::cout << passed << " networks passed, " << failed << " failed\n";
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) { return soter::Main(argc, argv); }
