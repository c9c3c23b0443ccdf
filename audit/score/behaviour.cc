#include "audit/score/behaviour.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "audit/attacks/evaluator.h"

namespace soter::audit {
namespace {

// Scores are the answers as rows: [rows, classes], whatever axes lie between.
struct Scores {
  size_t classes;
  std::vector<double> values;
  size_t rows() const { return values.size() / classes; }
  std::span<const double> row(size_t i) const { return std::span(values).subspan(i * classes, classes); }
};

// Classes are on the last axis; of a sequence [batch, steps, classes] each step is a row.
Scores AsScores(const Tensor& answers) {
  std::span<const float> values = answers.As<float>();
  return {static_cast<size_t>(answers.shape().back()), {values.begin(), values.end()}};
}

size_t Best(std::span<const double> row) {
  return static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

double Confidence(std::span<const double> row) {
  double top = row[Best(row)], sum = 0;
  for (double value : row) sum += std::exp(value - top);
  return 1 / sum;
}

std::vector<double> Confidences(const Scores& scores) {
  std::vector<double> confidences;
  for (size_t i = 0; i < scores.rows(); ++i) confidences.push_back(Confidence(scores.row(i)));
  return confidences;
}

double Balanced(std::span<const double> members, std::span<const double> others, size_t parity, double threshold) {
  auto share = [&](std::span<const double> values, bool above) {
    double hits = 0, count = 0;
    for (size_t i = parity; i < values.size(); i += 2, ++count) hits += (values[i] >= threshold) == above;
    return count > 0 ? hits / count : 0.5;
  };
  return 0.5 * (share(members, true) + share(others, false));
}

}  // namespace

Result<Tensor> Answers(const ValidatedGraph& network, const Tensor& inputs) {
  std::vector<Shape> shapes = {inputs.shape()};
  StaticGraph graph = TRY(Bind(network, shapes));
  std::vector<size_t> nodes(graph.graph().nodes.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  ValueId input = graph.graph().inputs.front().value, output = graph.graph().outputs.front();
  Evaluator evaluator = TRY(Evaluator::Make(graph, nodes, std::span(&input, 1)));
  Values given;
  given.emplace(input, inputs.Clone());
  Values all = TRY(evaluator.Run(given));
  return std::move(all.at(output));
}

double MembershipAccuracy(std::span<const double> members, std::span<const double> others) {
  double best = 0, threshold = 0;
  for (std::span<const double> values : {members, others})
    for (size_t i = 0; i < values.size(); i += 2) {
      double here = Balanced(members, others, 0, values[i]);
      if (here > best) best = here, threshold = values[i];
    }
  return Balanced(members, others, 1, threshold);
}

Result<Behaviour> Judge(const ValidatedGraph& substitute, const ValidatedGraph& victim, const JudgeInputs& inputs) {
  Scores ours = AsScores(TRY(Answers(substitute, inputs.test))), theirs = AsScores(TRY(Answers(victim, inputs.test)));
  std::span<const int64_t> labels = inputs.labels.As<int64_t>();
  if (ours.rows() != labels.size() || theirs.rows() != labels.size())
    return InvalidArgument("there is not one label for each answer");
  Behaviour behaviour;
  for (size_t i = 0; i < labels.size(); ++i) {
    size_t guess = Best(ours.row(i));
    behaviour.accuracy += guess == static_cast<size_t>(labels[i]);
    behaviour.fidelity += guess == Best(theirs.row(i));
  }
  behaviour.accuracy /= static_cast<double>(labels.size());
  behaviour.fidelity /= static_cast<double>(labels.size());
  Scores members = AsScores(TRY(Answers(substitute, inputs.members)));
  behaviour.membership = MembershipAccuracy(Confidences(members), Confidences(ours));
  return behaviour;
}

}  // namespace soter::audit
