#include "trusted/engine/cost_profile.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>

#include "common/graph/op_traits.h"
#include "trusted/check/freivalds.h"
#include "trusted/engine/enclave_costs.h"
#include "trusted/engine/link_probe.h"
#include "trusted/engine/profile.h"
#include "trusted/engine/shared_processors.h"
#include "trusted/engine/stand_in.h"
#include "trusted/engine/subgraph.h"
#include "trusted/mask/transfer.h"
#include "trusted/plan/offloadable.h"

namespace soter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLeastRuns = 5, kMostRuns = 100;  // of anything that is timed
constexpr double kEnoughMs = 50;
constexpr double kLeastSeenMs = 0.5, kMostGroups = 16;  // of the accelerator's layers: several times what waking takes
constexpr int kCheckRuns = 3;
constexpr WeightId kFirstStandIn = WeightId{1} << 32;  // no real parameter has such an id, in a record of what was received

double Milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

// Medians repeats `run`, which gives a list of times, until that was often and long enough; returns the median per index.
template <typename Run>
Result<std::vector<double>> Medians(Run&& run) {
  std::vector<std::vector<double>> runs;
  Clock::time_point start = Clock::now();
  while (runs.size() < kLeastRuns || (runs.size() < kMostRuns && Milliseconds(Clock::now() - start) < kEnoughMs))
    runs.push_back(TRY(run()));
  std::vector<double> medians;
  for (size_t i = 0; i < runs[0].size(); ++i) {
    std::vector<double> values;
    for (const std::vector<double>& times : runs) values.push_back(times[i]);
    medians.push_back(Median(std::move(values)));
  }
  return medians;
}

// What the accelerator hands back, in order of readiness, and the layer that each value comes from.
using Returned = std::vector<std::pair<ValueId, uint32_t>>;

class CostMeter {
 public:
  CostMeter(const StaticGraph& graph, const CostContext& context)
      : graph_(graph), context_(context), layers_(DivideIntoLayers(graph)), order_(graph.graph().nodes.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
    for (const GraphInput& input : graph.graph().inputs) inputs_.push_back(input.value);
  }

  Result<CostProfile> Measure() {
    TRY(DrawInputs());
    Tell("timing the enclave", 0);
    TRY(MeasureEnclave());
    if (context_.accelerator == nullptr) return std::move(costs_);
    Tell("timing the accelerator", 0.3);
    in_turns_ = SharesProcessors(context_.accelerator->info(), context_.settings, ProcessorCount());
    LinkCosts link = TRY(MeasureLink(*context_.accelerator, Timeout()));
    costs_.switch_ms = link.switch_ms, costs_.pass_ms_per_mb = link.pass_ms_per_mb;
    costs_.send_ms_per_mb = link.send_ms_per_mb, costs_.receive_ms_per_mb = link.receive_ms_per_mb;
    TRY(MeasureAccelerator());
    enclave_.reset();
    TRY(context_.accelerator->Forget());
    Tell("timing the checks", 0.8);
    if (context_.settings.check == Check::kFreivalds) TRY(MeasureChecks());
    return std::move(costs_);
  }

 private:
  void Tell(const char* what, double fraction) const {
    if (context_.progress) context_.progress(what, fraction);
  }
  std::chrono::milliseconds Timeout() const { return std::chrono::milliseconds(context_.settings.timeout_ms); }
  int threads() const { return static_cast<int>(context_.settings.threads); }
  const Node& node(uint32_t index) const { return graph_.graph().nodes[index]; }

  Status DrawInputs() {
    for (ValueId value : inputs_) input_tensors_.push_back(TRY(RandomInput(graph_.type(value), context_.random)));
    return {};
  }

  // With room for every larger weight, and again without where there is not that much. The last program stays, for
  // MeasureOverlap.
  Status MeasureEnclave() {
    size_t room = SIZE_MAX, none = 0;
    enclave_.emplace(TRY(CompileInEnclave(graph_, context_.weights, threads(), room)));
    TRY(AllocateOutputs());
    costs_.enclave_ms = TRY(NodeTimes());
    costs_.spare_bytes = SpareBytes(graph_);
    if (SIZE_MAX - room <= costs_.spare_bytes) return {};
    enclave_.reset();
    enclave_.emplace(TRY(CompileInEnclave(graph_, context_.weights, threads(), none)));
    costs_.frugal_ms = TRY(NodeTimes());
    costs_.extra_bytes = TRY(ExtraBytes(graph_, context_.weights, threads()));
    return {};
  }

  Status AllocateOutputs() {
    for (const Tensor& tensor : input_tensors_) in_.push_back(tensor.bytes().data());
    for (ValueId value : enclave_->outputs) {
      output_tensors_.push_back(TRY(Tensor::Allocate(graph_.type(value))));
      out_.push_back(output_tensors_.back().mutable_bytes().data());
    }
    return {};
  }

  Result<std::vector<double>> NodeTimes() {
    TRY(enclave_->program.Run(in_, out_));
    return Medians([&] { return enclave_->program.NodeTimes(in_, out_); });
  }

  // What every layer hands on.
  Returned LayerResults() const {
    std::vector<uint32_t> producer(graph_.graph().value_names.size(), 0);
    for (uint32_t i : order_)
      for (ValueId value : node(i).outputs)
        if (value != kNoValue) producer[value] = i;
    Returned returned;
    for (uint32_t l = 0; l < layers_.size(); ++l)
      for (ValueId value : layers_[l].outputs) returned.push_back({value, l});
    std::sort(returned.begin(), returned.end(),
              [&](const auto& a, const auto& b) { return producer[a.first] < producer[b.first]; });
    return returned;
  }

  // What a checked chain through the whole network hands back.
  Returned LinearResults() const {
    Returned returned;
    for (uint32_t i : order_)
      if (IsLinear(node(i).op)) returned.push_back({node(i).outputs[0], 0});
    return returned;
  }

  Returned NetworkResults() const {
    Returned returned;
    for (ValueId value : enclave_->outputs) returned.push_back({value, 0});
    return returned;
  }

  // Loads the whole network as one segment in place of all others.
  Status LoadNetwork(const Returned& returned) {
    std::vector<ValueId> outputs;
    for (const auto& [value, layer] : returned) outputs.push_back(value);
    Segment segment{.id = 0, .arithmetic = context_.settings.precision};
    segment.graph = TRY(AcceleratorGraph(graph_, order_, inputs_, outputs, [](ValueId) { return 1.0f; },
                                         [&](const ParameterUse& use) { return Upload(use); }));
    for (ValueId value : inputs_) segment.input_types.push_back(graph_.type(value));
    segment.input_layouts.assign(inputs_.size(), Layout::kDense);
    for (ValueId value : outputs) {
      segment.output_types.push_back(graph_.type(value));
      segment.output_layouts.push_back(LayoutOf(graph_.type(value)));
    }
    for (const Refusal& refusal : TRY(context_.accelerator->LoadSegments(std::span(&segment, 1)))) return CannotTime(refusal.why);
    return {};
  }

  Layout LayoutOf(const TensorType& type) const {
    bool blocked = type.dtype == DType::kFloat32 && type.shape.size() == 4 && type.shape[1] % 16 == 0;
    return blocked ? context_.activation_layout : Layout::kDense;
  }

  Result<WeightId> Upload(const ParameterUse& use) {
    auto [found, is_new] = uploaded_.try_emplace(use.initializer.value, kFirstStandIn + uploaded_.size());
    if (!is_new) return found->second;
    Tensor stand_in = TRY(MakeStandIn(use.initializer.type, context_.random));
    Status loaded = context_.accelerator->LoadWeight(found->second, stand_in.view());
    if (!loaded.ok()) return CannotTime(loaded.error());
    return found->second;
  }

  static Status Nothing() { return {}; }

  // When all results were there, if the enclave waits for the last one at once.
  Result<double> MeasureToLast(const Returned& returned, bool in_turns) {
    if (returned.empty()) return 0.0;
    TRY(LoadNetwork(returned));
    for (int i = 0; i < 2; ++i) TRY(RunSegment(returned.size(), in_turns, Nothing));
    return TRY(Medians([&] { return RunSegment(returned.size(), in_turns, Nothing); })).back();
  }

  // The network is timed as a whole: what the accelerator does not take cannot be taken back before there are times.
  static Error CannotTime(const Error& why) {
    Error error = Annotate(why, "timing the network on the accelerator");
    return error.code == ErrorCode::kExhausted ? Unavailable(error.message) : error;
  }

  Status MeasureAccelerator() {
    Returned layers = LayerResults();
    if (layers.empty()) return costs_.accelerator_ms.assign(order_.size(), 0), Status();
    const bool shares = context_.accelerator->info().shares_memory;
    auto moved = [&](const Returned& returned) { return shares ? 0.0 : ReceivedMsOf(returned); };
    double all = TRY(MeasureToLast(NetworkResults(), true)) - moved(NetworkResults()) - costs_.switch_ms;
    if (!in_turns_) TRY(MeasureOverlap());
    if (context_.settings.check == Check::kFreivalds) {
      Returned linear = LinearResults();
      double handing_back = TRY(MeasureToLast(linear, in_turns_)) - moved(linear) - costs_.switch_ms;
      if (double mb = MegabytesOf(linear); mb > 0) costs_.hand_back_ms_per_mb = std::max(0.0, handing_back - all) / mb;
    }
    TRY(MeasureToLast(layers, true));
    SpreadOverNodes(layers, TRY(Medians([&] { return RunSegment(layers.size(), false, Nothing); })), std::max(all, 0.0));
    return {};
  }

  double MegabytesOf(const Returned& returned) const {
    double mb = 0;
    for (const auto& [value, layer] : returned) mb += static_cast<double>(SizeBytes(graph_.type(value)).value()) / 1e6;
    return mb;
  }
  double ReceivedMsOf(const Returned& returned) const { return costs_.receive_ms_per_mb * MegabytesOf(returned); }

  // Runs the segment while the enclave does `beside`; returns when each result was there, in ms from the start. in_turns:
  // the enclave waits for the last one at once.
  Result<std::vector<double>> RunSegment(size_t count, bool in_turns, const std::function<Status()>& beside) {
    for (size_t i = 0; i < input_tensors_.size(); ++i) {
      std::span<std::byte> target = context_.accelerator->InputBuffer(0, i);
      if (!target.empty()) std::memcpy(target.data(), input_tensors_[i].bytes().data(), target.size());
    }
    Clock::time_point start = Clock::now();
    TRY(context_.accelerator->Start(0, start + Timeout()));
    TRY(beside());
    std::vector<double> ready;
    if (in_turns) TRY(context_.accelerator->Await(0, count - 1, start + Timeout()));
    for (size_t i = 0; i < count; ++i) {
      TRY(context_.accelerator->Await(0, i, start + Timeout()));
      ready.push_back(Milliseconds(Clock::now() - start));
    }
    TRY(context_.accelerator->Finish(0, start + Timeout()));
    return ready;
  }

  // Shares `all`, what the network takes, out among layers as they were seen, and among neighbours that were too short to
  // be told apart as the enclave's own times are: the enclave wakes late, and a short layer would seem to take nothing.
  void SpreadOverNodes(const Returned& returned, const std::vector<double>& ready, double all) {
    costs_.accelerator_ms.assign(order_.size(), 0);
    const bool in_frames = !context_.accelerator->info().shares_memory;
    const double least_ms = std::max(kLeastSeenMs, all / kMostGroups);
    double start = costs_.switch_ms, moving = 0, seen = 0;
    std::vector<uint32_t> group;
    for (size_t i = 0; i < ready.size(); ++i) {
      const Layer& layer = layers_[returned[i].second];
      group.insert(group.end(), layer.nodes.begin(), layer.nodes.end());
      if (in_frames) moving += ReceivedMs(graph_, returned[i].first, costs_);
      double ms = ready[i] - start - moving;
      if (ms < least_ms && i + 1 < ready.size()) continue;
      Spread(group, std::max(0.0, ms));
      seen += std::max(0.0, ms);
      start = std::max(start, ready[i]), moving = 0, group.clear();
    }
    for (double& ms : costs_.accelerator_ms) ms *= seen > 0 ? all / seen : 0;
  }

  void Spread(std::vector<uint32_t>& group, double ms) {
    std::sort(group.begin(), group.end());  // a layer that hands on two values is there once
    group.erase(std::unique(group.begin(), group.end()), group.end());
    double own = 0;
    for (uint32_t index : group) own += costs_.enclave_ms[index];
    for (uint32_t index : group)
      costs_.accelerator_ms[index] += ms * (own > 0 ? costs_.enclave_ms[index] / own : index == group[0]);
  }

  // What both sides take together, against what they take alone; the network's results alone are loaded.
  Status MeasureOverlap() {
    size_t count = enclave_->outputs.size();
    if (count == 0) return {};
    auto run = [&] { return enclave_->program.Run(in_, out_); };
    std::vector<double> there, here, together;
    for (size_t i = 0; i < kLeastRuns; ++i) {
      there.push_back(TRY(RunSegment(count, true, Nothing)).back());
      Clock::time_point start = Clock::now();
      TRY(run());
      here.push_back(Milliseconds(Clock::now() - start));
      together.push_back(TRY(RunSegment(count, true, run)).back());
    }
    double shorter = std::min(Median(there), Median(here));
    double saved = Median(there) + Median(here) - Median(together);
    costs_.overlap = shorter > 0 ? std::clamp(saved / shorter, 0.0, 1.0) : 0;
    return {};
  }

  // Operators with the same attributes and shapes are checked in the same time.
  Status MeasureChecks() {
    costs_.check_ms.assign(order_.size(), 0);
    std::vector<uint32_t> measured;
    for (uint32_t i : order_) {
      if (!CanOffload(graph_, node(i)) || !IsCheapToCheck(graph_, node(i))) continue;
      auto same = std::find_if(measured.begin(), measured.end(), [&](uint32_t other) { return IsSame(i, other); });
      costs_.check_ms[i] = same != measured.end() ? costs_.check_ms[*same] : TRY(CheckMs(node(i)));
      if (same == measured.end()) measured.push_back(i);
    }
    return {};
  }

  bool IsSame(uint32_t a, uint32_t b) const {
    auto type = [&](uint32_t index, size_t k) { return graph_.type(node(index).inputs[k]); };
    return node(a).op == node(b).op && node(a).inputs.size() == node(b).inputs.size() &&
           type(a, 0).shape == type(b, 0).shape && type(a, 1).shape == type(b, 1).shape;
  }

  Result<double> CheckMs(const Node& linear) {
    std::shared_ptr<const Tensor> weight = TRY(context_.weights.Get(*graph_.initializer(linear.inputs[1])));
    std::shared_ptr<const Tensor> bias;
    if (linear.inputs.size() > 2 && linear.inputs[2] != kNoValue)
      bias = TRY(context_.weights.Get(*graph_.initializer(linear.inputs[2])));
    TensorType x = graph_.type(linear.inputs[0]), y = graph_.type(linear.outputs[0]);
    Buffer x_memory = TRY(TryBuffer(TRY(LaidOutBytes(x, LayoutOf(x)))));
    Buffer y_memory = TRY(TryBuffer(TRY(LaidOutBytes(y, LayoutOf(y)))));
    std::span<float> floats(reinterpret_cast<float*>(x_memory.bytes().data()), x_memory.size() / sizeof(float));
    for (size_t i = 0; i < floats.size(); ++i) floats[i] = static_cast<float>(i % 7) - 3;
    std::memset(y_memory.bytes().data(), 0, y_memory.size());
    Freivalds check = Freivalds::Create({linear, x, y, LayoutOf(x), LayoutOf(y), *weight, bias.get()},
                                        FamilyOf(linear, context_.settings.precision, context_.settings.worker_kind),
                                        static_cast<int>(context_.settings.threads), context_.random);
    FreivaldsScratch scratch;
    TRY(scratch.Reserve(check.scratch_bytes()));
    std::vector<double> times;
    for (int i = 0; i < kCheckRuns; ++i) {
      Claim claim(PrivateTensor{y, LayoutOf(y), y_memory.bytes()});
      Clock::time_point start = Clock::now();
      (void)check.Check(floats, std::move(claim), scratch).ok();  // it is wrong, and takes as long as a right one
      times.push_back(Milliseconds(Clock::now() - start));
    }
    return Median(std::move(times));
  }

  const StaticGraph& graph_;
  const CostContext& context_;
  std::vector<Layer> layers_;
  std::vector<uint32_t> order_;  // all nodes
  std::vector<ValueId> inputs_;
  std::vector<Tensor> input_tensors_, output_tensors_;
  std::vector<const std::byte*> in_;
  std::vector<std::byte*> out_;
  std::optional<NetworkInEnclave> enclave_;
  std::map<ValueId, WeightId> uploaded_;
  bool in_turns_ = false;  // SharesProcessors
  CostProfile costs_;
};

}  // namespace

Result<CostProfile> MeasureCosts(const StaticGraph& graph, const CostContext& context) {
  return CostMeter(graph, context).Measure();
}

}  // namespace soter
