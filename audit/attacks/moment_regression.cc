#include "audit/attacks/moment_regression.h"

#include <algorithm>
#include <cmath>

#include "audit/attacks/pads.h"
#include "audit/attacks/traffic.h"
#include "audit/linear/decompose.h"
#include "common/graph/op_traits.h"

namespace soter::audit {
namespace {

constexpr double kClearlyActive = 0.25;  // of the deviation of the ancestor's pre-activations
constexpr double kRidge = 1e-3;
constexpr size_t kMostRows = 20000;

Matrix WithOnes(const Matrix& a) { return BesideEachOther(a, Matrix(a.rows(), 1, 1.0)); }

std::vector<size_t> ActiveRows(const Matrix& predicted, size_t column) {
  std::vector<double> values = predicted.column(column);
  double power = Norm(values) / std::sqrt(static_cast<double>(values.size()));
  std::vector<size_t> active;
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] > kClearlyActive * power) active.push_back(i);
  return active;
}

// Forward is the ancestor's own run on the adversary's query.
Result<Values> Forward(const StaticGraph& ancestor, const OwnQuery& query) {
  std::vector<size_t> nodes;
  for (size_t i = 0; i < ancestor.graph().nodes.size(); ++i) nodes.push_back(i);
  std::vector<ValueId> given;
  Values values;
  for (size_t i = 0; i < ancestor.graph().inputs.size() && i < query.inputs.size(); ++i) {
    given.push_back(ancestor.graph().inputs[i].value);
    values.emplace(given.back(), query.inputs[i].Clone());
  }
  Evaluator evaluator = TRY(Evaluator::Make(ancestor, nodes, given));
  Values all = TRY(evaluator.Run(values));
  all.merge(values);
  return all;
}

// ReluOf is the value behind the ReLU that follows `value`, or kNoValue.
ValueId ReluOf(const StaticGraph& graph, ValueId value) {
  for (const Node& node : graph.graph().nodes) {
    const auto* unary = std::get_if<Unary>(&node.op);
    if (unary != nullptr && unary->kind == UnaryKind::kRelu && node.inputs[0] == value) return node.outputs[0];
  }
  return kNoValue;
}

struct Moments {
  Matrix rows, targets, clean;
};

void Append(Matrix& all, const Matrix& more) { all = all.empty() ? more : StackedOver(all, more); }

// A ReLU leaves exact zeros; a pad leaves none. Without pads least squares does better.
bool LooksPadded(const Matrix& rows) { return Freshness(rows).zeros < 1e-3; }

Result<Moments> Gather(const StaticGraph& ancestor, const View& view, const Traffic& traffic, const Layer& layer) {
  const Node& node = ancestor.graph().nodes[layer.node];
  ValueId seen = ReluOf(ancestor, node.outputs[0]);
  Moments moments;
  for (size_t q = 0; q < std::min(view.queries.size(), traffic.query_count()); ++q) {
    const Tensor* x = traffic.Find(q, node.inputs[0]);
    const Tensor* y = seen == kNoValue ? nullptr : traffic.Find(q, seen);
    if (x == nullptr || y == nullptr || moments.rows.rows() >= kMostRows) break;
    Values clean = TRY(Forward(ancestor, view.queries[q]));
    Append(moments.rows, TRY(InputRows(ancestor, layer, *x)));
    Append(moments.targets, TRY(OutputRows(ancestor, layer, *y)));
    Append(moments.clean, TRY(InputRows(ancestor, layer, clean.at(node.inputs[0]))));
  }
  return moments;
}

}  // namespace

Matrix RegressOnAncestor(const Matrix& padded_rows, const Matrix& padded_targets, const Matrix& clean_rows,
                         const Matrix& ancestor, double ridge) {
  Matrix x = WithOnes(padded_rows), z = WithOnes(clean_rows), predicted = TimesTransposed(z, ancestor), found = ancestor;
  for (size_t o = 0; o < ancestor.rows(); ++o) {
    std::vector<size_t> active = ActiveRows(predicted, o);
    if (active.size() < 2) continue;
    Matrix instruments = Rows(z, active), rows = Rows(x, active), target(active.size(), 1), start(x.columns(), 1);
    for (size_t i = 0; i < active.size(); ++i) target(i, 0) = padded_targets(active[i], o);
    std::ranges::copy(ancestor.row(o), start.values().begin());
    Matrix cross = TransposedTimes(instruments, rows), moment = TransposedTimes(instruments, target - rows * start);
    Matrix normal = TransposedTimes(cross, cross);
    double power = 0;
    for (size_t i = 0; i < normal.rows(); ++i) power += normal(i, i) / static_cast<double>(normal.rows());
    Matrix solution = start + SolveNormal(normal, TransposedTimes(cross, moment), ridge * power);
    std::ranges::copy(solution.values(), found.row(o).begin());
  }
  return found;
}

Result<Guess> RegressPaddedTraffic(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  const View& view = knowledge.loads.front();
  Alignment alignment = Align(knowledge.ancestor, view);
  ValueScales scales(knowledge.ancestor, view, alignment);
  Traffic traffic = TRY(Traffic::Make(knowledge.ancestor, view, alignment, scales));
  for (size_t i = 0; i < alignment.layers.size(); ++i) {
    const Layer& layer = alignment.layers[i];
    if (alignment.sightings[i].has_value()) continue;
    Result<Moments> moments = Gather(knowledge.ancestor, view, traffic, layer);
    if (!moments.ok() || moments->rows.rows() == 0 || !LooksPadded(moments->rows)) continue;
    Matrix start(layer.weight.rows(), 1);
    for (size_t o = 0; o < layer.bias.size(); ++o) start(o, 0) = layer.bias[o];
    Matrix found = RegressOnAncestor(moments->rows, moments->targets, moments->clean,
                                     BesideEachOther(layer.weight, start), kRidge);
    LayerGuess one{i, Matrix(layer.weight.rows(), layer.weight.columns()), {}};
    for (size_t o = 0; o < found.rows(); ++o) {
      std::ranges::copy(found.row(o).first(layer.weight.columns()), one.weight.row(o).begin());
      if (!layer.bias.empty()) one.bias.push_back(found(o, layer.weight.columns()));
    }
    guess.layers.push_back(std::move(one));
  }
  return guess;
}

}  // namespace soter::audit
