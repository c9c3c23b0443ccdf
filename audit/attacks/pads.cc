#include "audit/attacks/pads.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "audit/attacks/sandwich.h"
#include "audit/attacks/traffic.h"
#include "audit/linear/decompose.h"

namespace soter::audit {
namespace {

constexpr double kFoundPad = 0.25;  // share of a tensor's elements whose pad shows
constexpr double kVariance = 0.999;
constexpr size_t kMostPlaces = 512;  // of one boundary: enough to see a rank

Matrix Centred(Matrix a) {
  for (size_t j = 0; j < a.columns(); ++j) {
    double mean = 0;
    for (size_t i = 0; i < a.rows(); ++i) mean += a(i, j) / static_cast<double>(a.rows());
    for (size_t i = 0; i < a.rows(); ++i) a(i, j) -= mean;
  }
  return a;
}

double RankShare(const Matrix& sent) {
  std::vector<double> s = Decompose(Centred(sent)).s;
  double total = 0, sum = 0;
  for (double value : s) total += value * value;
  size_t rank = 0;
  while (rank < s.size() && sum < kVariance * total) sum += s[rank] * s[rank], ++rank;
  size_t full = std::min(sent.rows() - 1, sent.columns());
  return full > 0 ? std::min(1.0, static_cast<double>(rank) / (kVariance * static_cast<double>(full))) : 1;
}

// SentRows gathers what input `index` of a segment received, one row for each run: its first `most` elements.
Matrix SentRows(const View& view, size_t segment, size_t index, size_t most) {
  Matrix rows;
  for (const SeenRun& run : view.runs) {
    if (run.segment != segment || run.inputs[index].dtype() != DType::kFloat32) continue;
    std::span<const float> values = run.inputs[index].As<float>();
    size_t count = std::min(values.size(), most);
    Matrix row = Matrix::FromFloats(1, count, values.first(count));
    rows = rows.empty() ? row : StackedOver(rows, row);
  }
  return rows;
}

}  // namespace

ReusedPad RecoverReusedPad(const Matrix& sent) {
  ReusedPad reused;
  for (size_t j = 0; j < sent.columns(); ++j) {
    std::vector<double> column = sent.column(j);
    double least = *std::ranges::min_element(column);
    // Rounding of pad + activation differs from the pad's own only where the activation is not zero.
    reused.found += std::ranges::count(column, least) >= 2;
    reused.pad.push_back(least);
  }
  if (sent.columns() > 0) reused.found /= static_cast<double>(sent.columns());
  return reused;
}

PadFreshness Freshness(const Matrix& sent) {
  PadFreshness freshness;
  if (sent.rows() < 2) return freshness;
  double pairs = 0, equal = 0, zeros = 0;
  for (size_t i = 0; i + 1 < sent.rows(); ++i)
    for (size_t j = 0; j < sent.columns(); ++j, ++pairs) equal += sent(i, j) == sent(i + 1, j);
  for (double value : sent.values()) zeros += value == 0;
  freshness.repeats = equal / pairs;
  freshness.zeros = zeros / static_cast<double>(sent.values().size());
  freshness.rank_share = RankShare(sent);
  return freshness;
}

Result<Guess> SolveBehindReusedPads(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  const View& view = knowledge.loads.front();
  Traffic::Pads pads;
  for (size_t s = 0; s < view.segments.size(); ++s)
    for (size_t i = 0; i < view.segments[s].graph.graph().inputs.size(); ++i) {
      Matrix sent = SentRows(view, s, i, SIZE_MAX);
      if (sent.rows() < 2) continue;
      ReusedPad reused = RecoverReusedPad(sent);
      bool padded = Freshness(sent).zeros < 1e-3;
      if (padded && reused.found > kFoundPad) pads[{s, i}] = std::move(reused.pad);
    }
  guess.findings["places whose pad was found"] = static_cast<double>(pads.size());
  if (pads.empty()) return guess;
  Alignment alignment = Align(knowledge.ancestor, view);
  Traffic traffic = TRY(Traffic::FromSent(knowledge.ancestor, view, alignment, pads));
  for (size_t i = 0; i < alignment.layers.size(); ++i) {
    std::optional<LayerGuess> solved = SolveFromTraffic(knowledge.ancestor, alignment.layers, i, traffic);
    if (solved.has_value()) guess.layers.push_back(std::move(*solved));
  }
  return guess;
}

// A float of 24 bits repeats by chance once in millions.
bool PadFreshness::fresh() const { return rank_share > 0.9 && repeats < 1e-3 && zeros < 1e-3; }

Result<Guess> ExaminePads(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  const View& view = knowledge.loads.front();
  double places = 0, fresh = 0, found = 0;
  PadFreshness worst;
  for (size_t s = 0; s < view.segments.size(); ++s)
    for (size_t i = 0; i < view.segments[s].graph.graph().inputs.size(); ++i) {
      Matrix sent = SentRows(view, s, i, kMostPlaces);
      if (sent.rows() < 2) continue;
      PadFreshness here = Freshness(sent);
      places += 1, fresh += here.fresh(), found = std::max(found, RecoverReusedPad(sent).found);
      worst.rank_share = std::min(worst.rank_share, here.rank_share);
      worst.repeats = std::max(worst.repeats, here.repeats);
      worst.zeros = std::max(worst.zeros, here.zeros);
    }
  guess.findings = {{"places", places}, {"places freshly padded", fresh}, {"least rank share", worst.rank_share},
                    {"most repeats", worst.repeats}, {"most zeros", worst.zeros}, {"reused pad found", found}};
  return guess;
}

}  // namespace soter::audit
