#include "tools/audit/placing.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tools/audit/outcome.h"
#include "tools/audit/record.h"
#include "tools/cli/options.h"
#include "trusted/plan/layers.h"

namespace soter::audit {
namespace {

constexpr uint64_t kSeedsToTry = 32;
constexpr size_t kFaultInputs = 16;     // each fault hits one of them
constexpr uint32_t kFaultRounds = 64;   // faults in each layer
constexpr bool kNoProfile = false, kNoPrediction = false;

Result<control::Settings> WithEnoughOffloaded(const Victim& victim, control::Settings settings, const Shape& query) {
  control::Settings tried = settings;
  for (uint64_t i = 0; i < kSeedsToTry; ++i, tried.seed = *tried.seed + 1000)
    if (TRY(OffloadedShare(victim, tried, query)) >= kLeastShare) return tried;
  return settings;
}

// FaultRates asks the enclave how often a fault changes the answer, for each operator by the value that it makes.
Result<std::map<uint32_t, double>> FaultRates(const Victim& victim, control::Settings settings, const Tensor& inputs) {
  settings.fault_rounds = kFaultRounds;
  EnclaveOptions options;
  options.settings = settings;
  options.worker = "cpu";
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(options, nullptr));
  TRY(session->SendModel(victim.truth.graph()));
  control::PlanRequest request{{inputs.shape()}, kNoProfile, kNoPrediction, {}};
  request.samples.push_back(inputs.Clone());
  std::map<uint32_t, double> rates;
  for (const control::NodePlan& node : TRY(session->Plan(request)).nodes) rates[node.value] = node.fault_rate;
  return rates;
}

// Unprotected is the share theta of the layers in which faults matter least, as the values that their nodes make: what
// AegisDNN leaves on the accelerator where protecting any layer costs the same.
Result<std::vector<uint32_t>> Unprotected(const Victim& victim, const control::Settings& settings, double theta) {
  Tensor inputs = RowsOf(victim.member_inputs, 0, std::min(kFaultInputs, RowCount(victim.member_inputs)));
  std::map<uint32_t, double> rates = TRY(FaultRates(victim, settings, inputs));
  StaticGraph graph = TRY(Bind(victim.truth, std::vector<Shape>{inputs.shape()}));
  auto made_by = [&](uint32_t node) { return graph.graph().nodes[node].outputs[0]; };
  std::vector<soter::Layer> layers = DivideIntoLayers(graph);
  std::ranges::stable_sort(layers, {}, [&](const soter::Layer& layer) { return rates[made_by(layer.nodes.front())]; });
  layers.resize(static_cast<size_t>(std::lround(theta * static_cast<double>(layers.size()))));
  std::vector<uint32_t> values;
  for (const soter::Layer& layer : layers)
    for (uint32_t node : layer.nodes) values.push_back(made_by(node));
  return values;
}

}  // namespace

bool HasTheta(control::Scheme scheme) {
  return scheme == control::Scheme::kSoter || scheme == control::Scheme::kEnnclave || scheme == control::Scheme::kAegisdnn;
}

uint32_t PrivateLayers(double theta, size_t operators) {
  return std::max(1u, static_cast<uint32_t>(std::lround((1 - theta) * static_cast<double>(operators))));
}

Result<control::Settings> SettingsFor(const AuditOptions& options, const Victim& victim, const std::string& scheme,
                                      double theta, size_t operators) {
  control::Settings settings{.scheme = SchemeFromName(scheme), .theta = theta};
  bool checked = settings.scheme == control::Scheme::kSoter || settings.scheme == control::Scheme::kVerified;
  settings.check = checked ? control::Check::kFreivalds : control::Check::kNone;
  if (settings.scheme == control::Scheme::kSoter && !options.check.empty())
    settings.check = CheckFromName(options.check);
  settings.private_layers = PrivateLayers(theta, operators);
  settings.threads = settings.worker_threads = 1;
  settings.seed = options.seed;
  if (settings.scheme == control::Scheme::kAegisdnn) settings.placement = TRY(Unprotected(victim, settings, theta));
  if (settings.scheme != control::Scheme::kSoter) return settings;
  return WithEnoughOffloaded(victim, settings, RowsOf(victim.query_inputs, 0, 1).shape());
}

}  // namespace soter::audit
