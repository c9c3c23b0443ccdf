#include "trusted/engine/checked_take_in.h"

#include <omp.h>

#include <algorithm>
#include <chrono>

namespace soter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kParallelWork = 1 << 14;  // values below which a second thread costs more than it saves

struct Share {
  int64_t first, last;
};

Share ShareOf(int64_t count, int thread, int threads) { return {count * thread / threads, count * (thread + 1) / threads}; }

// One pass over a result. Work of a thread: its share of the bands of y in their order, and behind them those bands of
// the next input that read only rows which it has made itself; Rest does the others once all threads are through.
class Pass {
 public:
  Pass(PartialTakeIn& claim, const float* y, const Freivalds& check, FreivaldsScratch& scratch, const FollowUp& follow)
      : claim_(claim), y_(y), check_(check), scratch_(scratch), follow_(follow) {}

  void Run(CheckedTakeInTimes& times) {
    const int64_t values = check_.geometry().images * check_.geometry().out_positions() * check_.geometry().out_channels;
    Clock::time_point start = Clock::now();
#pragma omp parallel num_threads(check_.threads()) if (values > kParallelWork)
    {
      CheckedTakeInTimes own;
      int thread = omp_get_thread_num(), threads = omp_get_num_threads();
      Share done = Bands(thread, threads, own);
#pragma omp barrier
      Clock::time_point rest = Clock::now();
      Rest(thread, threads, done);
      Add(own.checking, rest);
      if (thread == 0) times = own;
    }
    // What the first thread spent on each stands for all.
    double wall = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    double sum = times.copying + times.checking + times.activating;
    for (double* part : {&times.copying, &times.checking, &times.activating}) *part *= sum > 0 ? wall / sum : 0;
  }

 private:
  static void Add(double& total, Clock::time_point& since) {
    Clock::time_point now = Clock::now();
    total += std::chrono::duration<double, std::milli>(now - since).count();
    since = now;
  }

  // Rows of the next input that are there once row `row` of y is.
  int64_t NextRows(int64_t row) const { return follow_.activation == BandActivation::kReluPool ? row / 2 : row; }

  // Returns which of the thread's bands of the next input are done: [first, last) of its share.
  Share Bands(int thread, int threads, CheckedTakeInTimes& times) {
    const Share share = ShareOf(check_.bands(), thread, threads);
    Share next = follow_.next != nullptr ? ShareOf(follow_.next->bands(), thread, threads) : Share{0, 0};
    const int64_t last = next.last;
    if (share.first < share.last && follow_.next != nullptr) {
      int64_t begin = NextRows(check_.OutputRows(share.first).first);
      while (next.first < last && follow_.next->InputRows(next.first).first < begin) ++next.first;
    }
    next.last = next.first;
    for (int64_t band = share.first; band < share.last; ++band) {
      Clock::time_point now = Clock::now();
      for (int64_t slice = 0; slice < check_.slices(band); ++slice) claim_.Take(check_.OutputPart(band, slice));
      Add(times.copying, now);
      check_.DotOutputs(y_, band, thread, scratch_);
      Add(times.checking, now);
      Activate(follow_.activation, check_, band, y_, follow_.activated);
      Add(times.activating, now);
      if (follow_.next == nullptr) continue;
      const int64_t ready = NextRows(check_.OutputRows(band).last);
      for (; next.last < last && follow_.next->InputRows(next.last).last <= ready; ++next.last) DotNext(next.last, thread);
      Add(times.checking, now);
    }
    return next;
  }

  void Rest(int thread, int threads, const Share& done) const {
    if (follow_.next == nullptr) return;
    const Share next = ShareOf(follow_.next->bands(), thread, threads);
    for (int64_t band = next.first; band < done.first; ++band) DotNext(band, thread);
    for (int64_t band = done.last; band < next.last; ++band) DotNext(band, thread);
  }

  void DotNext(int64_t band, int thread) const {
    follow_.next->DotInputs(follow_.activated, band, thread, *follow_.next_scratch);
  }

  PartialTakeIn& claim_;
  const float* y_;
  const Freivalds& check_;
  FreivaldsScratch& scratch_;
  const FollowUp& follow_;
};

}  // namespace

Result<Claim> CheckedTakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target, const Freivalds& check,
                            FreivaldsScratch& scratch, const FollowUp& follow, CheckedTakeInTimes& times) {
  const float* y = reinterpret_cast<const float*>(target.bytes.data());
  PartialTakeIn claim = TRY(PartialTakeIn::Begin(answer, inverse_scale, std::move(target)));
  Pass(claim, y, check, scratch, follow).Run(times);
  return std::move(claim).Finish();
}

void DotAllInputs(const float* x, const Freivalds& check, FreivaldsScratch& scratch) {
  const int64_t values = check.geometry().images * check.geometry().in_positions() * check.geometry().in_channels;
#pragma omp parallel for num_threads(check.threads()) schedule(static) if (values > kParallelWork)
  for (int64_t band = 0; band < check.bands(); ++band) check.DotInputs(x, band, omp_get_thread_num(), scratch);
}

}  // namespace soter
