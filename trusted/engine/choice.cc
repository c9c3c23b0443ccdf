#include "trusted/engine/choice.h"

namespace soter {
namespace {

Status ChooseProtection(const StaticGraph& graph, std::span<const Tensor> samples, const CostContext& context, Choice& choice) {
  const control::Settings& settings = context.settings;
  std::vector<Layer> layers = DivideIntoLayers(graph);
  FaultOptions options{.rounds = settings.fault_rounds, .threads = static_cast<int>(settings.threads)};
  std::vector<LayerFaults> faults =
      TRY(InjectFaults(graph, context.weights, layers, samples, options, context.random, context.progress));
  std::vector<double> rates;
  choice.node_rate.assign(graph.graph().nodes.size(), -1);
  for (size_t l = 0; l < layers.size(); ++l) {
    rates.push_back(faults[l].rate());
    choice.faults += faults[l].injected;
    for (uint32_t node : layers[l].nodes)
      if (faults[l].injected > 0) choice.node_rate[node] = rates[l];
  }
  ProtectionProblem problem = MakeProtectionProblem(graph, layers, rates, choice.costs);
  choice.protection = settings.deadline_ms > 0 ? SafestWithin(problem, settings.deadline_ms)
                                               : FastestBelow(problem, settings.sdc_rate);
  choice.offloaded = OffloadedBy(graph, layers, *choice.protection);
  return {};
}

}  // namespace

bool NeedsChoice(const control::Settings& settings) {
  bool protects = settings.scheme == Scheme::kAegisdnn && !settings.placement.has_value();
  return protects || settings.objective == control::Objective::kLatency;
}

Result<Choice> Choose(const StaticGraph& graph, std::span<const Tensor> samples, const CostContext& context) {
  Choice choice{.costs = TRY(MeasureCosts(graph, context))};
  bool protects = context.settings.scheme == Scheme::kAegisdnn && !context.settings.placement.has_value();
  if (protects) TRY(ChooseProtection(graph, samples, context, choice));
  return choice;
}

}  // namespace soter
