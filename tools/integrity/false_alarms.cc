#include <algorithm>

#include "tools/integrity/campaign.h"
#include "tools/integrity/honest_operator.h"

// The rounding errors of honest results, as Freivalds' check sees them: for each family of algorithms the largest
// residual over many columns of odd shapes; the factor in trusted/check/rounding.h must be a margin above it.
namespace soter::integrity {
namespace {

constexpr int kProbes = 3;

OperatorCase DrawCase(RoundingFamily family, RandomSource& random) {
  auto from = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(high - low + 1)));
  };
  bool winograd = family == RoundingFamily::kWinograd;
  if (!winograd && random.NextBelow(4) == 0) return LinearCase(from(16, 256), from(16, 3000), from(16, 200));
  int64_t kernel = winograd ? 3 : 1 + 2 * from(0, 2), stride = winograd ? 1 : from(1, 2);
  if (!winograd && kernel == 3 && stride == 1) stride = 2;
  OperatorCase drawn = ConvCase(16 * from(1, 16), 16 * from(1, 6), kernel, from(9, 56), stride);
  drawn.x[3] += from(0, 5);
  Window& window = std::get<Conv>(drawn.op).window;
  window.pads_begin = window.pads_end = Shape(2, from(0, kernel / 2));
  return drawn;
}

void Measure(const OperatorCase& drawn, Inputs inputs, RandomSource& random, FalseAlarmRow& row) {
  HonestOperator honest(drawn, inputs, false, random);
  Freivalds check = honest.MakeCheck(random, kProbes);
  FreivaldsScratch scratch;
  for (int i = 0; i < 4; ++i) {
    honest.Fill();
    row.alarms += !honest.Check(check, scratch).ok();
    row.columns += static_cast<int64_t>(check.tolerances(scratch).size());
    row.largest = std::max(row.largest, check.largest_ratio() * row.factor);
  }
}

}  // namespace

std::vector<FalseAlarmRow> MeasureFalseAlarms(const CampaignOptions& options) {
  std::vector<FalseAlarmRow> rows;
  for (RoundingFamily family : {RoundingFamily::kDirect, RoundingFamily::kWinograd})
    for (Inputs inputs : {Inputs::kGaussian, Inputs::kRectified, Inputs::kBiased}) {
      const RoundingModel& model = ModelOf(family);
      // A seed of its own for each row: no column is counted twice.
      auto random = MakeSeededRandom(options.seed * 1000 + rows.size() + 1);
      FalseAlarmRow row{model.name, kInputNames[static_cast<size_t>(inputs)], 0, 0, 0, model.factor};
      Say("false alarms: " + row.family + ", " + row.inputs);
      while (row.columns < static_cast<int64_t>(options.columns) && !Stopped())
        Measure(DrawCase(family, *random), inputs, *random, row);
      rows.push_back(row);
    }
  return rows;
}

}  // namespace soter::integrity
