#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "trusted/engine/weight_store.h"
#include "trusted/mask/random_source.h"
#include "trusted/plan/layers.h"

namespace soter {

// ProgressFunction is told what is being done and how far it is, 0 to 1.
using ProgressFunction = std::function<void(const std::string& what, double fraction)>;

// FaultOptions bound a campaign: every layer gets one fault in any case, and more, up to `rounds`, until the time is up.
struct FaultOptions {
  uint32_t rounds = 16;
  double budget_ms = 20'000;
  int threads = 1;
};

// LayerFaults is what became of the faults injected in one layer.
struct LayerFaults {
  uint32_t injected = 0, changed = 0;
  double rate() const { return injected == 0 ? 0 : static_cast<double>(changed) / injected; }
};

// An answer without classes counts as changed from this relative difference (L2) on.
inline constexpr double kChangedShare = 0.01;

// InjectFaults finds out how much the network's answer depends on each layer (AegisDNN, RTSS 2021): it flips one bit,
// drawn at random, of one element, drawn at random, of the layer's float32 results, and runs what follows. The answer
// has changed when the class of the highest score has, for an output [n, k] of k >= 2 scores; else when an output
// differs by more than kChangedShare, or in anything at all where it is not float32.
// samples: one tensor for each input of the network, or none: then every round draws standard normal inputs.
// A fault that an activation or a pool hides costs no more than the layers up to there.
// Errors: those of Program::Compile and Run; kExhausted.
// Leaks: time depends on how far faults spread, and so on the network's parameters.
Result<std::vector<LayerFaults>> InjectFaults(const StaticGraph& graph, const WeightStore& weights,
                                              std::span<const Layer> layers, std::span<const Tensor> samples,
                                              const FaultOptions& options, RandomSource& random,
                                              const ProgressFunction& progress);

}  // namespace soter
