#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "tools/integrity/campaign.h"
#include "tools/integrity/honest_operator.h"

namespace soter::integrity {
namespace {

// A direction of error in a dense result [channels][positions] (or [rows][columns]); its length is set afterwards.
struct Attack {
  const char* name;
  std::function<void(std::span<const float> y, int64_t channels, RandomSource&, std::span<double> e)> draw;
};

const Attack kAttacks[] = {
    {"one element", [](auto y, int64_t, RandomSource& random, auto e) { e[random.NextBelow(y.size())] = 1; }},
    {"one channel", [](auto y, int64_t channels, RandomSource& random, auto e) {
       size_t run = y.size() / static_cast<size_t>(channels);
       size_t from = random.NextBelow(static_cast<uint64_t>(channels)) * run;
       std::fill_n(e.begin() + static_cast<ptrdiff_t>(from), run, 1.0);
     }},
    {"scaled", [](auto y, int64_t, RandomSource&, auto e) { std::copy(y.begin(), y.end(), e.begin()); }},
    {"rank one", [](auto y, int64_t channels, RandomSource&, auto e) {
       size_t run = y.size() / static_cast<size_t>(channels);
       for (size_t i = 0; i < e.size(); ++i) e[i] = std::cos(double(i / run)) * std::sin(1.0 + double(i % run));
     }},
    {"noise", [](auto, int64_t, RandomSource& random, auto e) { for (double& value : e) value = random.NextGaussian(); }},
};

constexpr double kSizes[] = {0.25, 0.5, 1, 2, 4, 8, 16, 64, 1024};

class OperatorUnderAttack {
 public:
  OperatorUnderAttack(const OperatorCase& drawn, RandomSource& random)
      : name_(drawn.name), random_(random), probes_(MakeSystemRandom()), honest_(drawn, Inputs::kRectified, true, random),
        linear_(std::holds_alternative<Linear>(drawn.op)) {
    honest_.Fill();
    y_.assign(honest_.y().begin(), honest_.y().end());
  }

  void Measure(uint64_t runs, std::vector<DetectionRow>& rows) {
    const size_t first = rows.size();
    for (const Attack& attack : kAttacks)
      for (double size : kSizes)
        rows.push_back({name_, attack.name, size, 0, 0, 1 - std::pow(std::min(1.0, 0.8 / size), kFreivaldsProbes)});
    for (uint64_t run = 0; run < runs && !Stopped();) {
      Freivalds check = honest_.MakeCheck(*probes_);
      for (int set = 0; set < kMaxCheckFailures && run < runs; ++set, ++run) {
        if (set > 0) check.Redraw();
        Restore();
        CHECK(honest_.Check(check, scratch_).ok(), "an honest result failed");
        tolerances_.assign(check.tolerances(scratch_).begin(), check.tolerances(scratch_).end());
        size_t row = first;
        for (const Attack& attack : kAttacks) row = RunSizes(attack, check, rows, row);
      }
    }
    Restore();
  }

 private:
  void Restore() { std::copy(y_.begin(), y_.end(), honest_.y().begin()); }

  size_t RunSizes(const Attack& attack, Freivalds& check, std::vector<DetectionRow>& rows, size_t row) {
    std::vector<double> e(y_.size(), 0.0);
    const Shape& shape = honest_.y_type().shape;
    attack.draw(y_, linear_ ? shape[0] : shape[1], random_, e);
    double largest = LargestRatio(e, check.tiling());
    for (double size : kSizes) {
      double factor = size / largest;
      for (size_t i = 0; i < e.size(); ++i) honest_.y()[i] = static_cast<float>(y_[i] + factor * e[i]);
      rows[row].caught += !honest_.Check(check, scratch_).ok();
      ++rows[row++].runs;
    }
    return row;
  }

  // The largest |e| of a column in units of its tolerance.
  double LargestRatio(std::span<const double> e, const Tiling& tiling) const {
    const auto& [depth, height, width] = tiling.axes;
    std::vector<double> squares(tolerances_.size(), 0.0);
    const int64_t positions = height.axis.out * width.axis.out;
    for (size_t i = 0; i < e.size(); ++i) {
      int64_t position = linear_ ? static_cast<int64_t>(i) / honest_.y_type().shape[1] : static_cast<int64_t>(i) % positions;
      int64_t h = position / width.axis.out / height.length, w = position % width.axis.out / width.length;
      squares[static_cast<size_t>(h * width.count + w)] += e[i] * e[i];
    }
    double largest = 0;
    for (size_t i = 0; i < squares.size(); ++i) largest = std::max(largest, std::sqrt(squares[i]) / tolerances_[i]);
    return largest;
  }

  std::string name_;
  RandomSource& random_;
  std::unique_ptr<RandomSource> probes_;
  HonestOperator honest_;
  bool linear_;
  std::vector<float> y_;
  std::vector<double> tolerances_;
  FreivaldsScratch scratch_;
};

}  // namespace

std::vector<DetectionRow> MeasureDetection(const CampaignOptions& options) {
  auto random = MakeSeededRandom(options.seed);
  std::vector<DetectionRow> rows;
  struct { OperatorCase drawn; uint64_t runs; } cases[] = {
      {ConvCase(32, 48, 3, 12), options.runs}, {ConvCase(64, 64, 1, 7), options.runs}, {LinearCase(8, 256, 64), options.runs},
      {ConvCase(128, 128, 3, 112), options.large_runs}, {ConvCase(512, 512, 3, 28), options.large_runs},
      {LinearCase(1, 4096, 4096), options.large_runs}};
  for (const auto& [drawn, runs] : cases) {
    if (Stopped() || runs == 0) break;
    Say("detection: " + drawn.name + ", " + std::to_string(runs) + " runs of each attack and size");
    OperatorUnderAttack(drawn, *random).Measure(runs, rows);
  }
  return rows;
}

}  // namespace soter::integrity
