#include "trusted/plan/protection.h"

#include <algorithm>
#include <map>
#include <string>

#include "common/base/check.h"

namespace soter {
namespace {

// Where a value that is still needed lies: bits of a character.
constexpr char kInEnclave = 1, kOnAccelerator = 2;

// What later costs depend on: the side that computed last, then where each value lies ('\0': nowhere or never needed).
using State = std::string;

// Label is one way to a state. Ways that take longer and risk more than another are dropped.
struct Label {
  double ms, rate;
  size_t parent;  // in the pool
  bool side;
};

class Chooser {
 public:
  explicit Chooser(const ProtectionProblem& problem) : problem_(problem), last_use_(problem.values.size(), -1) {
    for (size_t v = 0; v < problem.values.size(); ++v) {
      const auto& value = problem.values[v];
      if (!value.consumers.empty()) last_use_[v] = value.consumers.back();
      for (uint32_t layer : value.consumers) inputs_[layer].push_back(v);
      if (value.producer >= 0) outputs_[static_cast<uint32_t>(value.producer)].push_back(v);
    }
  }

  // Step returns what layer `layer` on `side` costs in `state`, and changes `state` to the one behind it.
  double Step(uint32_t layer, bool side, State& state) const {
    const auto& costs = problem_.layers[layer];
    double ms = side ? costs.accelerator_ms : costs.enclave_ms;
    if (side && state[0] == 0) ms += problem_.switch_ms;
    state[0] = side;
    char wanted = side ? kOnAccelerator : kInEnclave;
    for (size_t v : Of(inputs_, layer)) ms += Bring(v, wanted, state);
    for (size_t v : Of(outputs_, layer)) state[v + 1] = wanted;
    for (size_t v : Of(outputs_, layer))
      if (problem_.values[v].is_output) ms += Bring(v, kInEnclave, state);
    for (size_t v : Of(inputs_, layer)) Forget(v, layer, state);
    for (size_t v : Of(outputs_, layer)) Forget(v, layer, state);
    return ms;
  }

  State Start() const {
    State state(problem_.values.size() + 1, 0);
    for (size_t v = 0; v < problem_.values.size(); ++v)
      if (problem_.values[v].producer < 0 && last_use_[v] >= 0) state[v + 1] = kInEnclave;
    return state;
  }

  double RateOf(uint32_t layer, bool side) const {
    return side ? problem_.layers[layer].rate / static_cast<double>(problem_.layers.size()) : 0;
  }

  // Front returns every choice that no other beats in both time and rate, fastest first.
  std::vector<Protection> Front() {
    std::map<State, std::vector<Label>> open = {{Start(), {{0, 0, SIZE_MAX, false}}}};
    for (uint32_t layer = 0; layer < problem_.layers.size(); ++layer) open = Advance(layer, open);
    std::vector<Label> last;
    for (auto& [state, labels] : open) last.insert(last.end(), labels.begin(), labels.end());
    KeepUndominated(last);
    std::vector<Protection> front;
    for (const Label& label : last) front.push_back(Trace(label));
    return front;
  }

 private:
  using Lists = std::map<uint32_t, std::vector<size_t>>;
  static const std::vector<size_t>& Of(const Lists& lists, uint32_t layer) {
    static const std::vector<size_t> none;
    auto found = lists.find(layer);
    return found == lists.end() ? none : found->second;
  }

  double Bring(size_t v, char wanted, State& state) const {
    if (state[v + 1] & wanted) return 0;
    state[v + 1] = static_cast<char>(state[v + 1] | wanted);
    return wanted == kOnAccelerator ? problem_.values[v].send_ms : problem_.values[v].receive_ms;
  }

  void Forget(size_t v, uint32_t layer, State& state) const {
    if (last_use_[v] <= static_cast<int64_t>(layer)) state[v + 1] = 0;
  }

  std::map<State, std::vector<Label>> Advance(uint32_t layer, const std::map<State, std::vector<Label>>& open) {
    std::map<State, std::vector<Label>> next;
    for (const auto& [state, labels] : open) {
      size_t first = pool_.size();
      pool_.insert(pool_.end(), labels.begin(), labels.end());
      for (bool side : {false, true}) {
        State after = state;
        double ms = Step(layer, side, after);
        std::vector<Label>& target = next[after];
        for (size_t i = 0; i < labels.size(); ++i)
          target.push_back({labels[i].ms + ms, labels[i].rate + RateOf(layer, side), first + i, side});
      }
    }
    for (auto& [state, labels] : next) KeepUndominated(labels);
    while (next.size() > kMaxOpenStates) DropWorst(next);
    return next;
  }

  void KeepUndominated(std::vector<Label>& labels) {
    std::sort(labels.begin(), labels.end(),
              [](const Label& a, const Label& b) { return a.ms != b.ms ? a.ms < b.ms : a.rate < b.rate; });
    std::vector<Label> kept;
    for (const Label& label : labels)
      if (kept.empty() || label.rate < kept.back().rate) kept.push_back(label);
    if (kept.size() > kMaxLabels) Thin(kept);
    labels = std::move(kept);
  }

  // Thin keeps both ends and evenly spaced labels between them.
  void Thin(std::vector<Label>& labels) {
    std::vector<Label> kept;
    for (size_t i = 0; i < kMaxLabels; ++i) kept.push_back(labels[i * (labels.size() - 1) / (kMaxLabels - 1)]);
    labels = std::move(kept);
    exact_ = false;
  }

  void DropWorst(std::map<State, std::vector<Label>>& states) {
    auto slowest = std::max_element(states.begin(), states.end(), [](const auto& a, const auto& b) {
      return a.second.front().ms < b.second.front().ms;
    });
    states.erase(slowest);
    exact_ = false;
  }

  Protection Trace(const Label& last) const {
    Protection choice{.ms = last.ms, .rate = last.rate, .exact = exact_};
    for (const Label* label = &last; label->parent != SIZE_MAX; label = &pool_[label->parent])
      choice.on_accelerator.push_back(label->side);
    std::reverse(choice.on_accelerator.begin(), choice.on_accelerator.end());
    return choice;
  }

  const ProtectionProblem& problem_;
  std::vector<int64_t> last_use_;
  Lists inputs_, outputs_;  // values, by layer
  std::vector<Label> pool_;
  bool exact_ = true;
};

}  // namespace

Protection CostOf(const ProtectionProblem& problem, std::vector<bool> on_accelerator) {
  CHECK(on_accelerator.size() == problem.layers.size(), "one side for each layer");
  Chooser chooser(problem);
  Protection choice{.on_accelerator = std::move(on_accelerator)};
  State state = chooser.Start();
  for (uint32_t layer = 0; layer < problem.layers.size(); ++layer) {
    choice.ms += chooser.Step(layer, choice.on_accelerator[layer], state);
    choice.rate += chooser.RateOf(layer, choice.on_accelerator[layer]);
  }
  return choice;
}

Protection SafestWithin(const ProtectionProblem& problem, double deadline_ms) {
  std::vector<Protection> front = Chooser(problem).Front();
  auto first_late = std::find_if(front.begin(), front.end(), [&](const Protection& p) { return p.ms > deadline_ms; });
  return first_late == front.begin() ? front.front() : *std::prev(first_late);
}

Protection FastestBelow(const ProtectionProblem& problem, double rate) {
  std::vector<Protection> front = Chooser(problem).Front();
  auto found = std::find_if(front.begin(), front.end(), [&](const Protection& p) { return p.rate <= rate; });
  return found == front.end() ? CostOf(problem, std::vector<bool>(problem.layers.size(), false)) : *found;
}

}  // namespace soter
