#include "trusted/engine/fault_campaign.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>

#include "common/compute/program.h"
#include "trusted/engine/profile.h"
#include "trusted/engine/subgraph.h"

namespace soter {
namespace {

using Clock = std::chrono::steady_clock;

size_t HighestScore(std::span<const float> scores) {
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

bool ClassChanged(const Tensor& clean, const Tensor& faulty) {
  auto columns = static_cast<size_t>(clean.shape()[1]);
  for (size_t row = 0; row < clean.As<float>().size(); row += columns) {
    std::span<const float> scores = faulty.As<float>().subspan(row, columns);
    bool finite = std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); });
    if (!finite || HighestScore(scores) != HighestScore(clean.As<float>().subspan(row, columns))) return true;
  }
  return false;
}

bool DiffersClearly(const Tensor& clean, const Tensor& faulty) {
  double difference = 0, size = 0;
  std::span<const float> a = clean.As<float>(), b = faulty.As<float>();
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    size += double{a[i]} * a[i];
  }
  return !(std::sqrt(difference) <= kChangedShare * std::sqrt(size));  // NaN is a change
}

bool HasChanged(const Tensor& clean, const Tensor& faulty) {
  if (clean.dtype() != DType::kFloat32) return std::memcmp(clean.bytes().data(), faulty.bytes().data(), clean.bytes().size()) != 0;
  bool classes = clean.shape().size() == 2 && clean.shape()[1] >= 2;
  return classes ? ClassChanged(clean, faulty) : DiffersClearly(clean, faulty);
}

class Campaign {
 public:
  Campaign(const StaticGraph& graph, std::span<const Layer> layers, RandomSource& random)
      : graph_(graph), layers_(layers), random_(random), dirty_(graph.graph().value_names.size(), false) {}

  Status Prepare(const WeightStore& weights, int threads) {
    auto source = [&](const Initializer& initializer) { return weights.Get(initializer); };
    for (const Layer& layer : layers_) {
      StaticGraph part = TRY(Subgraph(graph_, layer.nodes, layer.inputs, layer.outputs));
      // Equal runs must give equal bits, or every fault would seem to spread.
      programs_.push_back(TRY(Program::Compile(part, source, {.threads = threads, .tuning = Tuning::kFixed})));
      for (ValueId value : layer.outputs) {
        clean_[value] = TRY(Tensor::Allocate(graph_.type(value)));
        faulty_[value] = TRY(Tensor::Allocate(graph_.type(value)));
      }
    }
    return {};
  }

  Status RunClean(std::span<const Tensor> samples) {
    for (size_t i = 0; i < graph_.graph().inputs.size(); ++i) {
      ValueId value = graph_.graph().inputs[i].value;
      clean_[value] = samples.empty() ? TRY(RandomInput(graph_.type(value), random_)) : samples[i].Clone();
    }
    std::fill(dirty_.begin(), dirty_.end(), false);
    for (size_t l = 0; l < layers_.size(); ++l) TRY(Run(l, clean_));
    return {};
  }

  // Inject puts one fault into the results of layer `index`, if there are any that can take one.
  Status Inject(size_t index, LayerFaults& faults) {
    std::vector<ValueId> targets;
    for (ValueId value : layers_[index].outputs)
      if (graph_.type(value).dtype == DType::kFloat32 && !clean_[value].bytes().empty()) targets.push_back(value);
    if (targets.empty()) return {};
    ValueId target = targets[random_.NextBelow(targets.size())];
    std::fill(dirty_.begin(), dirty_.end(), false);
    FlipBit(target);
    for (size_t l = index + 1; l < layers_.size(); ++l) TRY(Spread(l));
    ++faults.injected;
    faults.changed += AnswerChanged();
    return {};
  }

 private:
  void FlipBit(ValueId target) {
    std::span<std::byte> bytes = faulty_[target].mutable_bytes();
    std::copy(clean_[target].bytes().begin(), clean_[target].bytes().end(), bytes.begin());
    uint64_t bit = random_.NextBelow(bytes.size() * 8);
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    dirty_[target] = true;
  }

  Status Spread(size_t index) {
    const Layer& layer = layers_[index];
    if (std::none_of(layer.inputs.begin(), layer.inputs.end(), [&](ValueId value) { return dirty_[value]; })) return {};
    TRY(Run(index, faulty_));
    for (ValueId value : layer.outputs) {
      std::span<const std::byte> clean = clean_[value].bytes();
      dirty_[value] = !clean.empty() && std::memcmp(clean.data(), faulty_[value].bytes().data(), clean.size()) != 0;
    }
    return {};
  }

  Status Run(size_t index, std::map<ValueId, Tensor>& results) {
    std::vector<const std::byte*> in;
    std::vector<std::byte*> out;
    for (ValueId value : layers_[index].inputs)
      in.push_back((dirty_[value] ? faulty_ : clean_).at(value).bytes().data());
    for (ValueId value : layers_[index].outputs) out.push_back(results.at(value).mutable_bytes().data());
    return programs_[index].Run(in, out);
  }

  bool AnswerChanged() const {
    return std::any_of(graph_.graph().outputs.begin(), graph_.graph().outputs.end(), [&](ValueId value) {
      return dirty_[value] && HasChanged(clean_.at(value), faulty_.at(value));
    });
  }

  const StaticGraph& graph_;
  std::span<const Layer> layers_;
  RandomSource& random_;
  std::vector<Program> programs_;
  std::map<ValueId, Tensor> clean_, faulty_;
  std::vector<bool> dirty_;  // per value: the fault has reached it
};

}  // namespace

Result<std::vector<LayerFaults>> InjectFaults(const StaticGraph& graph, const WeightStore& weights,
                                              std::span<const Layer> layers, std::span<const Tensor> samples,
                                              const FaultOptions& options, RandomSource& random,
                                              const ProgressFunction& progress) {
  Clock::time_point end = Clock::now() + std::chrono::microseconds(static_cast<int64_t>(options.budget_ms * 1000));
  Campaign campaign(graph, layers, random);
  TRY(campaign.Prepare(weights, options.threads));
  std::vector<LayerFaults> faults(layers.size());
  for (uint32_t round = 0; round < options.rounds; ++round) {
    if (samples.empty() || round == 0) TRY(campaign.RunClean(samples));
    for (size_t l = 0; l < layers.size(); ++l) {
      if (round > 0 && Clock::now() > end) return faults;
      TRY(campaign.Inject(l, faults[l]));
      double done = (round + static_cast<double>(l + 1) / static_cast<double>(layers.size())) / options.rounds;
      if (progress) progress("injecting faults", done);
    }
  }
  return faults;
}

}  // namespace soter
