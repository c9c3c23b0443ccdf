#include "audit/attacks/sandwich.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "audit/attacks/traffic.h"
#include "audit/linear/decompose.h"
#include "common/graph/op_traits.h"

namespace soter::audit {
namespace {

constexpr int kPoolingRounds = 8;
constexpr double kRidge = 1e-9;        // relative to the mean diagonal of the Gram matrix
constexpr size_t kRowsForEach = 4;     // active rows used, as a multiple of the unknowns
constexpr size_t kMostRows = 20000;    // of patches kept in memory

// Chain is the way from an operator's output to a value that can be seen.
struct Chain {
  ValueId seen;
  bool rectified = false;
  const Pool* pool = nullptr;
  ValueId residual = kNoValue;  // added before the ReLU
};

// ChainFinder walks forward from a value over operators that can be undone.
class ChainFinder {
 public:
  ChainFinder(const StaticGraph& graph, const Traffic& traffic) : graph_(graph), traffic_(traffic) {}

  std::optional<Chain> From(ValueId value) const { return Walk(value, Chain{}); }

 private:
  std::optional<Chain> Walk(ValueId value, Chain chain) const {
    if (traffic_.Knows(value)) {
      chain.seen = value;
      return chain;
    }
    for (const Node& node : graph_.graph().nodes) {
      if (std::ranges::find(node.inputs, value) == node.inputs.end()) continue;
      std::optional<Chain> step = Step(node, value, chain);
      if (!step.has_value()) continue;
      std::optional<Chain> end = Walk(node.outputs[0], *step);
      if (end.has_value()) return end;
    }
    return std::nullopt;
  }

  std::optional<Chain> Step(const Node& node, ValueId value, Chain chain) const {
    if (const auto* unary = std::get_if<Unary>(&node.op); unary != nullptr && unary->kind == UnaryKind::kRelu) {
      chain.rectified = true;
      return chain;
    }
    if (const auto* pool = std::get_if<Pool>(&node.op); pool != nullptr && pool->kind == PoolKind::kMax) {
      if (chain.pool != nullptr || pool->window.kernel.size() != 2) return std::nullopt;
      chain.pool = pool;
      return chain;
    }
    if (const auto* sum = std::get_if<Binary>(&node.op); sum != nullptr && sum->kind == BinaryKind::kAdd) {
      ValueId other = node.inputs[0] == value ? node.inputs[1] : node.inputs[0];
      bool usable = !chain.rectified && chain.pool == nullptr && chain.residual == kNoValue && traffic_.Knows(other);
      if (!usable || graph_.type(other) != graph_.type(value)) return std::nullopt;
      chain.residual = other;
      return chain;
    }
    return std::nullopt;
  }

  const StaticGraph& graph_;
  const Traffic& traffic_;
};

// Observation is what all queries show of one operator.
struct Observation {
  Matrix rows;                                     // [rows, k]
  std::vector<std::vector<uint32_t>> candidates;   // for each target, rows
  Matrix targets;                                  // [targets, m]
  bool rectified = false;
};

// PoolCandidates lists, for each position of a pooled map, the positions [oh x ow] under its window, offset by `base`.
std::vector<std::vector<uint32_t>> PoolCandidates(const Window& window, const Shape& full, const Shape& pooled,
                                                  uint32_t base) {
  std::vector<std::vector<uint32_t>> all;
  uint32_t positions = static_cast<uint32_t>(full[2] * full[3]);
  for (int64_t n = 0; n < pooled[0]; ++n)
    for (int64_t py = 0; py < pooled[2]; ++py)
      for (int64_t px = 0; px < pooled[3]; ++px) {
        std::vector<uint32_t> under;
        for (int64_t i = 0; i < window.kernel[0]; ++i)
          for (int64_t j = 0; j < window.kernel[1]; ++j) {
            int64_t y = py * window.strides[0] - window.pads_begin[0] + i * window.dilations[0];
            int64_t x = px * window.strides[1] - window.pads_begin[1] + j * window.dilations[1];
            if (y >= 0 && y < full[2] && x >= 0 && x < full[3])
              under.push_back(base + static_cast<uint32_t>(n) * positions + static_cast<uint32_t>(y * full[3] + x));
          }
        all.push_back(std::move(under));
      }
  return all;
}

Result<Matrix> TargetsOf(const StaticGraph& graph, const Layer& layer, const Traffic& traffic, const Chain& chain,
                         size_t query) {
  Matrix seen = TRY(OutputRows(graph, layer, *traffic.Find(query, chain.seen)));
  if (chain.residual == kNoValue) return seen;
  Matrix residual = TRY(OutputRows(graph, layer, *traffic.Find(query, chain.residual)));
  // Where the ReLU is off, what was added cannot be told: 0 marks the row as inactive.
  for (size_t i = 0; i < seen.values().size(); ++i) {
    double& value = seen.values()[i];
    value = chain.rectified && value <= 0 ? -INFINITY : value - residual.values()[i];
  }
  return seen;
}

Result<Observation> Observe(const StaticGraph& graph, const Layer& layer, const Traffic& traffic, const Chain& chain) {
  Observation observation{.rectified = chain.rectified && chain.residual == kNoValue};
  const Node& node = graph.graph().nodes[layer.node];
  for (size_t q = 0; q < traffic.query_count() && observation.rows.rows() < kMostRows; ++q) {
    const Tensor* x = traffic.Find(q, node.inputs[0]);
    if (x == nullptr || traffic.Find(q, chain.seen) == nullptr) continue;
    Matrix rows = TRY(InputRows(graph, layer, *x));
    Matrix targets = TRY(TargetsOf(graph, layer, traffic, chain, q));
    uint32_t base = static_cast<uint32_t>(observation.rows.rows());
    if (chain.pool != nullptr) {
      auto under = PoolCandidates(chain.pool->window, graph.type(node.outputs[0]).shape,
                                  traffic.Find(q, chain.seen)->shape(), base);
      std::ranges::move(under, std::back_inserter(observation.candidates));
    } else {
      for (uint32_t r = 0; r < rows.rows(); ++r) observation.candidates.push_back({base + r});
    }
    observation.rows = observation.rows.empty() ? rows : StackedOver(observation.rows, rows);
    observation.targets = observation.targets.empty() ? targets : StackedOver(observation.targets, targets);
  }
  return observation;
}

double Predict(std::span<const double> row, std::span<const double> weight) {
  return Dot(row, weight.first(row.size())) + weight.back();
}

// Chosen is one row of the regression: which patch, and what it must give.
struct Chosen {
  uint32_t row;
  double value;
};

std::vector<Chosen> ActiveRows(const Matrix& rows, std::span<const std::vector<uint32_t>> candidates,
                               std::span<const double> target, bool rectified, std::span<const double> weight) {
  std::vector<Chosen> chosen;
  size_t limit = kRowsForEach * weight.size();
  for (size_t p = 0; p < target.size() && chosen.size() < limit; ++p) {
    if (rectified ? target[p] <= 0 : std::isinf(target[p])) continue;
    uint32_t best = candidates[p].front();
    if (candidates[p].size() > 1)
      best = *std::ranges::max_element(candidates[p], {}, [&](uint32_t r) { return Predict(rows.row(r), weight); });
    chosen.push_back({best, target[p]});
  }
  return chosen;
}

std::vector<double> SolveRows(const Matrix& rows, std::span<const Chosen> chosen, const std::vector<double>& start) {
  size_t k = rows.columns();
  Matrix a(chosen.size(), k + 1, 1.0), b(chosen.size(), 1), origin(k + 1, 1);
  for (size_t i = 0; i < chosen.size(); ++i) {
    std::ranges::copy(rows.row(chosen[i].row), a.row(i).begin());
    b(i, 0) = chosen[i].value;
  }
  std::ranges::copy(start, origin.values().begin());
  double power = Dot(a.values(), a.values()) / static_cast<double>(k + 1);
  Matrix solution = RidgeLeastSquares(a, b, kRidge * power, origin);
  return {solution.values().begin(), solution.values().end()};
}

LayerGuess SolveLayer(size_t index, const Layer& layer, const Observation& observation) {
  size_t m = layer.weight.rows(), k = layer.weight.columns();
  LayerGuess guess{index, Matrix(m, k), std::vector<double>(m)};
  for (size_t o = 0; o < m; ++o) {
    std::vector<double> start(layer.weight.row(o).begin(), layer.weight.row(o).end());
    start.push_back(layer.bias.empty() ? 0.0 : layer.bias[o]);
    std::vector<double> solved = ActiveRegression(observation.rows, observation.candidates,
                                                  observation.targets.column(o), observation.rectified, start);
    std::copy_n(solved.begin(), k, guess.weight.row(o).begin());
    guess.bias[o] = solved.back();
  }
  if (layer.bias.empty()) guess.bias.clear();
  return guess;
}

}  // namespace

std::vector<double> ActiveRegression(const Matrix& rows, std::span<const std::vector<uint32_t>> candidates,
                                     std::span<const double> target, bool rectified, std::vector<double> start) {
  bool pooled = std::ranges::any_of(candidates, [](const auto& c) { return c.size() > 1; });
  std::vector<double> weight = start;
  for (int round = 0; round < (pooled ? kPoolingRounds : 1); ++round) {
    std::vector<Chosen> chosen = ActiveRows(rows, candidates, target, rectified, weight);
    if (chosen.empty()) return start;
    weight = SolveRows(rows, chosen, start);
  }
  return weight;
}

std::optional<LayerGuess> SolveFromTraffic(const StaticGraph& ancestor, std::span<const Layer> layers, size_t index,
                                           const Traffic& traffic) {
  const Node& node = ancestor.graph().nodes[layers[index].node];
  std::optional<Chain> chain = ChainFinder(ancestor, traffic).From(node.outputs[0]);
  if (!traffic.Knows(node.inputs[0]) || !chain.has_value()) return std::nullopt;
  Result<Observation> observation = Observe(ancestor, layers[index], traffic, *chain);
  if (!observation.ok() || observation->rows.empty()) return std::nullopt;
  return SolveLayer(index, layers[index], *observation);
}

Result<Guess> SolveKeptLayers(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  const View& view = knowledge.loads.front();
  Alignment alignment = Align(knowledge.ancestor, view);
  ValueScales scales(knowledge.ancestor, view, alignment);
  Traffic traffic = TRY(Traffic::Make(knowledge.ancestor, view, alignment, scales));
  size_t kept = 0;
  for (size_t i = 0; i < alignment.layers.size(); ++i) {
    if (alignment.sightings[i].has_value()) continue;
    ++kept;
    std::optional<LayerGuess> solved = SolveFromTraffic(knowledge.ancestor, alignment.layers, i, traffic);
    if (solved.has_value()) guess.layers.push_back(std::move(*solved));
  }
  guess.findings["operators kept in the enclave"] = static_cast<double>(kept);
  guess.findings["of them solved"] = static_cast<double>(guess.layers.size());
  return guess;
}

}  // namespace soter::audit
