#include "common/compute/conv_choice.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "common/compute/conv.h"
#include "common/compute/layout.h"
#include "common/compute/tuning_cache.h"
#include "common/graph/op_traits.h"

namespace soter::compute {

namespace {

// Trial is a candidate made ready to be timed, on zeros.
class Trial {
 public:
  explicit Trial(const dnnl::convolution_forward::primitive_desc& desc) : primitive_(desc) {
    Add(DNNL_ARG_SRC, desc.src_desc());
    Add(DNNL_ARG_WEIGHTS, desc.weights_desc());
    Add(DNNL_ARG_BIAS, desc.bias_desc());
    Add(DNNL_ARG_DST, desc.dst_desc());
    Add(DNNL_ARG_SCRATCHPAD, desc.scratchpad_desc());
  }

  void Run() {
    auto start = std::chrono::steady_clock::now();
    primitive_.execute(Stream(), arguments_);
    Stream().wait();
    best_us_ = std::min(best_us_, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  double best_us() const { return best_us_; }

 private:
  void Add(int argument, const dnnl::memory::desc& of) {
    if (of.get_size() == 0) return;
    dnnl::memory memory(of, Engine());
    std::memset(memory.get_data_handle(), 0, of.get_size());
    arguments_.emplace(argument, memory);
  }

  dnnl::convolution_forward primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  double best_us_ = std::numeric_limits<double>::infinity();
};

bool WorthMeasuring(const UnitContext& u, const Conv& op) {
  constexpr int64_t kMulAdds = int64_t{1} << 22;  // below, a measurement costs more than it can win
  const Window& window = op.window;
  bool three_by_three = window.kernel == std::vector<int64_t>{3, 3} && window.strides == std::vector<int64_t>{1, 1} &&
                        window.dilations == std::vector<int64_t>{1, 1} && op.groups == 1;
  return three_by_three && u.InType(0).dtype == DType::kFloat32 && MulAdds(u.builder.graph(), u.node) >= kMulAdds;
}

// Measure times both in turns, so that a machine that is busy for a moment meets both.
TunedChoice Measure(const ConvCandidate& direct, const ConvCandidate& winograd) {
  constexpr int kRounds = 6;
  Trial first(direct.desc), second(winograd.desc);
  for (int round = 0; round < kRounds; ++round) {
    first.Run();
    second.Run();
  }
  double gain_us = first.best_us() - second.best_us();
  return {gain_us > 0 ? 1u : 0u, static_cast<uint32_t>(std::clamp(gain_us, 0.0, double{TuningCache::kMaxGainUs}))};
}

// Winner is a convolution that Winograd's algorithm computes faster.
struct Winner {
  uint32_t node;
  size_t extra_bytes;  // that its weight takes more than the model's own
  double gain_us;
};

std::optional<Winner> TryWinograd(const UnitContext& u, const Conv& op) {
  if (!WorthMeasuring(u, op)) return std::nullopt;
  std::optional<ConvCandidate> winograd = WinogradConv(u, op);
  if (!winograd) return std::nullopt;
  // Convolutions of the same description share a measurement.
  std::string description = "conv3x3 " + ShapeString(u.InShape(0)) + ShapeString(u.InShape(1)) +
                            ShapeString(u.OutShape()) + " threads " + std::to_string(omp_get_max_threads());
  TunedChoice choice =
      TuningCache::OfProcess().Choose(description, 2, [&] { return Measure(DirectConv(u, op), *winograd); });
  if (choice.index == 0) return std::nullopt;
  size_t own = static_cast<size_t>(Product(u.InShape(1))) * sizeof(float);
  size_t packed = winograd->desc.weights_desc().get_size();
  return Winner{u.unit.node, packed > own ? packed - own : 0, static_cast<double>(choice.gain_us)};
}

}  // namespace

void ChooseConvAlgorithms(Builder& builder, const std::vector<Unit>& units) {
  if (builder.tuning() != Tuning::kMeasured) return;
  std::vector<Winner> winners;
  for (const Unit& unit : units) {
    const Node& node = builder.graph().graph().nodes[unit.node];
    const Conv* op = std::get_if<Conv>(&node.op);
    if (op == nullptr) continue;
    if (std::optional<Winner> winner = TryWinograd({builder, node, unit}, *op)) winners.push_back(*winner);
  }
  // Density first is the usual approximation of a knapsack: many items, each small beside the bound.
  std::ranges::stable_sort(winners, [](const Winner& a, const Winner& b) {
    return a.gain_us * static_cast<double>(b.extra_bytes) > b.gain_us * static_cast<double>(a.extra_bytes);
  });
  for (const Winner& winner : winners)
    if (builder.TakeSpare(winner.extra_bytes)) builder.UseWinograd(winner.node);
}

}  // namespace soter::compute
