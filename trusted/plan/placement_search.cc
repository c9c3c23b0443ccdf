#include "trusted/plan/placement_search.h"

#include <optional>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

class Search {
 public:
  Search(const StaticGraph& graph, Scheme scheme, Check check, const Selection& most, const CostProfile& costs)
      : graph_(graph), scheme_(scheme), check_(check), costs_(costs) {
    for (const Node& node : graph.graph().nodes) {
      bool allowed = scheme == Scheme::kVerified || most.contains(node.outputs[0]);
      if (IsLinear(node.op) && allowed) operators_.push_back(node.outputs[0]);
    }
  }

  Result<ValidatedPlan> Run() {
    if (operators_.size() <= kExhaustiveOperators) TRY(TryEverySubset());
    else
      for (bool all : {true, false}) TRY(Climb(all));
    return ValidatedPlan::Validate(graph_, std::move(*best_));
  }

 private:
  // Try looks at one subset; returns its latency and keeps the best plan.
  Result<double> Try(const std::vector<bool>& offloaded) {
    Selection subset;
    for (size_t i = 0; i < operators_.size(); ++i)
      if (offloaded[i]) subset.insert(operators_[i]);
    Plan plan{.scheme = scheme_, .check = check_};
    plan.placement = scheme_ == Scheme::kVerified ? PlaceVerified(graph_, &subset) : PlaceSoter(graph_, subset, check_);
    plan.stages = ArrangeStages(graph_, plan.placement, plan.check);
    double ms = PredictMs(graph_, plan, costs_);
    if (!best_.has_value() || ms < best_ms_) best_ = std::move(plan), best_ms_ = ms;
    ++trials_;
    return ms;
  }

  Status TryEverySubset() {
    for (uint32_t bits = 0; bits < (1u << operators_.size()); ++bits) {
      std::vector<bool> offloaded;
      for (size_t i = 0; i < operators_.size(); ++i) offloaded.push_back(bits >> i & 1);
      TRY(Try(offloaded));
    }
    return {};
  }

  // Long runs first: they cross a valley that single operators do not.
  Status Climb(bool all) {
    std::vector<bool> offloaded(operators_.size(), all);
    double ms = TRY(Try(offloaded));
    size_t limit = trials_ + kMaxTrials / 2;
    for (size_t length = operators_.size(); length > 0; length /= 2)
      for (bool improved = true; improved && trials_ < limit;) {
        improved = false;
        for (size_t start = 0; start + length <= operators_.size() && trials_ < limit; start += (length + 1) / 2) {
          std::vector<bool> moved = offloaded;
          bool side = !offloaded[start];
          for (size_t i = start; i < start + length; ++i) moved[i] = side;
          double moved_ms = TRY(Try(moved));
          if (moved_ms >= ms) continue;
          offloaded = std::move(moved), ms = moved_ms, improved = true;
        }
      }
    return {};
  }

  const StaticGraph& graph_;
  Scheme scheme_;
  Check check_;
  const CostProfile& costs_;
  std::vector<ValueId> operators_;
  std::optional<Plan> best_;
  double best_ms_ = 0;
  size_t trials_ = 0;
};

}  // namespace

Result<ValidatedPlan> FastestPlan(const StaticGraph& graph, Scheme scheme, Check check, const Selection& most,
                                  const CostProfile& costs) {
  if (scheme != Scheme::kSoter && scheme != Scheme::kVerified) return PlanGraph(graph, scheme, check, most);
  return Search(graph, scheme, check, most, costs).Run();
}

}  // namespace soter
