#include <algorithm>
#include <chrono>

#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"
#include "trusted/testing/networks.h"

// Does the time from the query to its failure tell which operator's result was wrong?
namespace soter::integrity {
namespace {

using Clock = std::chrono::steady_clock;

// Lies about one result of a segment only.
class LiarAt : public hostile::Liar {
 public:
  explicit LiarAt(size_t index) : Liar(kNothing, {}), index_(index) {}
  void BeforeOutput(const AnswerPlace& place, std::span<std::byte> output) override {
    last_ = std::max(last_, place.index);
    if (!lies || place.index != index_) return;
    auto* y = reinterpret_cast<float*>(output.data());
    for (size_t i = 0; i < output.size() / sizeof(float); ++i) y[i] = -1.0f - y[i];
  }
  size_t last() const { return last_; }
  bool lies = false;

 private:
  static constexpr hostile::Bug kNothing{};
  size_t index_, last_ = 0;
};

// Milliseconds until the first failure of a session that had an honest query before; a negative number if there was none.
double TimeOfFailure(size_t index, bool lies, RandomSource& random, uint32_t threads) {
  LiarAt liar(index);
  ValidatedGraph model = testing::WideCnn(1);
  const Graph graph{.value_names = model.graph().value_names, .inputs = model.graph().inputs};
  control::Settings settings{.scheme = control::Scheme::kVerified, .check = control::Check::kFreivalds, .threads = threads};
  auto session = LyingSession::Create(std::move(model), settings, &liar).value();
  std::vector<Tensor> inputs = RandomInputs(graph, random);
  if (!session->Run(inputs, 3).ok()) return -1;
  liar.lies = lies;
  Clock::time_point start = Clock::now();
  bool failed = !session->Run(inputs).ok();
  double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return failed == lies ? ms : -1;
}

}  // namespace

std::vector<TimingSample> MeasureTiming(const CampaignOptions& options) {
  Say("time until a failure, by the operator that was wrong");
  auto random = MakeSeededRandom(options.seed);
  std::vector<TimingSample> samples = {{"first", {}}, {"middle", {}}, {"last", {}}, {"first, again", {}}, {"none", {}}};
  const size_t indices[] = {0, 2, 3, 0, 0};  // of the four checked results of the small network
  for (uint64_t run = 0; run < options.runs && !Stopped(); ++run)
    for (size_t i = 0; i < samples.size(); ++i) {
      double ms = TimeOfFailure(indices[i], samples[i].wrong != "none", *random, options.threads);
      if (ms >= 0) samples[i].ms.push_back(ms);
    }
  return samples;
}

}  // namespace soter::integrity
