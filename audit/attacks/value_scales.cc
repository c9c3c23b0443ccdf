#include "audit/attacks/value_scales.h"

#include <cmath>
#include <set>

#include "audit/linear/decompose.h"
#include "common/graph/op_traits.h"

namespace soter::audit {
namespace {

// How much an equation counts: by the inverse variance of the factor that it gives. What the adversary knows exactly
// (its own input, the answer) outweighs everything.
constexpr double kExact = 1e9;
constexpr double kLeastLikeness = 0.3;

// A factor from `count` elements of which fine-tuning changed the share 1 - likeness^2, as if at random.
double Certainty(double likeness, size_t count) {
  double agreed = likeness * likeness;
  return static_cast<double>(count) * agreed / (1 - agreed + 1e-6);
}

// Equations collects weighted equations a_left - a_right = value among the logarithms of scales.
class Equations {
 public:
  void Difference(ValueId left, ValueId right, double value, double weight) {
    rows_.push_back({IndexOf(left), IndexOf(right), value, weight});
  }
  void Value(ValueId left, double value, double weight) { rows_.push_back({IndexOf(left), kNone, value, weight}); }

  std::map<ValueId, double> Solve() const {
    Matrix gram(index_.size(), index_.size()), moment(index_.size(), 1);
    for (const Row& row : rows_) {
      Accumulate(row.left, row.right, row, gram, moment, 1);
      if (row.right != kNone) Accumulate(row.right, row.left, row, gram, moment, -1);
    }
    constexpr double kPullToOne = 1e-6;  // scales that no equation ties to anything stay at 1
    Matrix solution = index_.empty() ? Matrix() : SolveNormal(gram, moment, kPullToOne);
    std::map<ValueId, double> scales;
    for (const auto& [value, index] : index_) scales[value] = std::exp(solution(index, 0));
    return scales;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  struct Row {
    size_t left, right;
    double value, weight;
  };

  static void Accumulate(size_t self, size_t other, const Row& row, Matrix& gram, Matrix& moment, double sign) {
    gram(self, self) += row.weight;
    if (other != kNone) gram(self, other) -= row.weight;
    moment(self, 0) += sign * row.weight * row.value;
  }

  size_t IndexOf(ValueId value) { return index_.emplace(value, index_.size()).first->second; }

  std::map<ValueId, size_t> index_;
  std::vector<Row> rows_;
};

std::vector<double> Doubles(const Tensor& tensor) {
  std::span<const float> values = tensor.As<float>();
  return {values.begin(), values.end()};
}

void AddOperators(const StaticGraph& ancestor, const Alignment& alignment, Equations& equations) {
  for (size_t i = 0; i < alignment.layers.size(); ++i) {
    if (!alignment.sightings[i].has_value()) continue;
    const Layer& plain = alignment.layers[i];
    const Layer& seen = alignment.sightings[i]->seen;
    const Node& node = ancestor.graph().nodes[plain.node];
    double likeness = Cosine(seen.weight.values(), plain.weight.values());
    if (likeness > kLeastLikeness) {
      double factor = LeastSquaresFactor(seen.weight.values(), plain.weight.values());
      equations.Difference(node.outputs[0], node.inputs[0], std::log(factor),
                           Certainty(likeness, plain.weight.values().size()));
    }
    if (seen.bias.size() != plain.bias.size() || plain.bias.empty()) continue;
    double bias_likeness = Cosine(seen.bias, plain.bias);
    if (bias_likeness <= kLeastLikeness) continue;
    double factor = LeastSquaresFactor(seen.bias, plain.bias);
    equations.Value(node.outputs[0], std::log(factor), Certainty(bias_likeness, plain.bias.size()));
  }
}

// Operators on the accelerator through which a scale passes leave it as it is.
void AddPassing(const View& view, const Alignment& alignment, Equations& equations) {
  for (size_t s = 0; s < view.segments.size(); ++s) {
    const auto& names = alignment.names[s];
    for (const Node& node : view.segments[s].graph.graph().nodes) {
      if (IsLinear(node.op) || !names.contains(node.outputs[0])) continue;
      for (ValueId input : node.inputs) {
        auto known = names.find(input);
        if (known != names.end()) equations.Difference(names.at(node.outputs[0]), known->second, 0, kExact);
      }
    }
  }
}

// AddKnown compares what crossed with what the adversary knows in plain: its inputs and the answers to them.
void AddKnown(const StaticGraph& ancestor, const View& view, const Alignment& alignment, Equations& equations) {
  auto compare = [&](ValueId name, const Tensor& seen, const Tensor& plain) {
    if (seen.type() != plain.type() || seen.dtype() != DType::kFloat32) return;
    double factor = LeastSquaresFactor(Doubles(seen), Doubles(plain));
    if (factor > 0) equations.Value(name, std::log(factor), kExact);
  };
  for (size_t q = 0; q < std::min<size_t>(view.queries.size(), 1); ++q) {
    std::map<ValueId, const Tensor*> plain;
    for (size_t i = 0; i < view.queries[q].inputs.size() && i < ancestor.graph().inputs.size(); ++i)
      plain[ancestor.graph().inputs[i].value] = &view.queries[q].inputs[i];
    for (size_t i = 0; i < view.queries[q].outputs.size() && i < ancestor.graph().outputs.size(); ++i)
      plain[ancestor.graph().outputs[i]] = &view.queries[q].outputs[i];
    for (size_t s = 0; s < view.segments.size(); ++s) {
      const SeenRun* run = view.RunOf(s, q);
      if (run == nullptr) continue;
      const Graph& graph = view.segments[s].graph.graph();
      auto look = [&](ValueId value, const Tensor& seen) {
        auto name = alignment.names[s].find(value);
        if (name != alignment.names[s].end() && plain.contains(name->second))
          compare(name->second, seen, *plain[name->second]);
      };
      for (size_t i = 0; i < graph.inputs.size(); ++i) look(graph.inputs[i].value, run->inputs[i]);
      for (size_t i = 0; i < graph.outputs.size(); ++i) look(graph.outputs[i], run->outputs[i]);
    }
  }
}

}  // namespace

double LeastSquaresFactor(std::span<const double> seen, std::span<const double> plain) {
  double power = Dot(plain, plain);
  return power > 0 ? Dot(seen, plain) / power : 0;
}

ValueScales::ValueScales(const StaticGraph& ancestor, const View& view, const Alignment& alignment) {
  Equations equations;
  AddOperators(ancestor, alignment, equations);
  AddPassing(view, alignment, equations);
  AddKnown(ancestor, view, alignment, equations);
  scales_ = equations.Solve();
}

double ValueScales::Of(ValueId value) const {
  auto found = scales_.find(value);
  return found == scales_.end() ? 1.0 : found->second;
}

}  // namespace soter::audit
