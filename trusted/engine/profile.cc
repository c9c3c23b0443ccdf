#include "trusted/engine/profile.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "common/compute/program.h"
#include "trusted/engine/subgraph.h"

namespace soter {
namespace {

// Values of one sample that later nodes still need.
using LiveValues = std::map<ValueId, std::shared_ptr<Tensor>>;

// Runs single nodes; each node's program lives for one visit.
class NodeRunner {
 public:
  NodeRunner(const StaticGraph& graph, const WeightStore& weights, int threads)
      : graph_(graph), weights_(weights), threads_(threads) {}

  // Compiles node `index`; its data operands without repetition become the program's inputs.
  Status Prepare(uint32_t index) {
    const Node& node = graph_.graph().nodes[index];
    inputs_.clear(), outputs_.clear();
    for (ValueId value : node.inputs)
      if (value != kNoValue && !graph_.initializer(value) && std::find(inputs_.begin(), inputs_.end(), value) == inputs_.end())
        inputs_.push_back(value);
    for (ValueId value : node.outputs)
      if (value != kNoValue) outputs_.push_back(value);
    StaticGraph part = TRY(Subgraph(graph_, std::span(&index, 1), inputs_, outputs_));
    program_.emplace(TRY(Program::Compile(
        part, [&](const Initializer& initializer) { return weights_.Get(initializer); }, {.threads = threads_})));
    return {};
  }

  // Runs the prepared node on one sample, adds its outputs, returns milliseconds.
  Result<double> Run(LiveValues& live) {
    std::vector<const std::byte*> in;
    std::vector<std::byte*> out;
    for (ValueId value : inputs_) in.push_back(live.at(value)->bytes().data());
    for (ValueId value : outputs_) {
      live[value] = std::make_shared<Tensor>(TRY(Tensor::Allocate(graph_.type(value))));
      out.push_back(live[value]->mutable_bytes().data());
    }
    auto start = std::chrono::steady_clock::now();
    TRY(program_->Run(in, out));
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  const StaticGraph& graph_;
  const WeightStore& weights_;
  int threads_;
  std::vector<ValueId> inputs_, outputs_;
  std::optional<Program> program_;
};

std::map<ValueId, uint32_t> LastUses(const Graph& graph) {
  std::map<ValueId, uint32_t> last;
  for (uint32_t i = 0; i < graph.nodes.size(); ++i)
    for (ValueId value : graph.nodes[i].inputs) last[value] = i;
  return last;
}

const Tensor* Find(const LiveValues& live, ValueId value) {
  auto found = live.find(value);
  return found == live.end() ? nullptr : found->second.get();
}

}  // namespace

Result<Tensor> RandomInput(const TensorType& type, RandomSource& random) {
  Tensor tensor = TRY(Tensor::Allocate(type));
  if (type.dtype == DType::kFloat32) {
    for (float& value : tensor.MutableAs<float>()) value = static_cast<float>(random.NextGaussian());
  } else if (!tensor.bytes().empty()) {
    std::memset(tensor.mutable_bytes().data(), 0, tensor.bytes().size());
  }
  return tensor;
}

Status ProfileGraph(const StaticGraph& graph, const WeightStore& weights, int threads, size_t samples,
                    RandomSource& random, const std::function<Status(const NodeProfile&)>& visit) {
  std::vector<LiveValues> live(samples);
  for (LiveValues& sample : live)
    for (const GraphInput& input : graph.graph().inputs)
      sample[input.value] = std::make_shared<Tensor>(TRY(RandomInput(graph.type(input.value), random)));
  std::map<ValueId, uint32_t> last_use = LastUses(graph.graph());
  NodeRunner runner(graph, weights, threads);
  for (uint32_t i = 0; i < graph.graph().nodes.size(); ++i) {
    const Node& node = graph.graph().nodes[i];
    TRY(runner.Prepare(i));
    double fastest = 1e300;
    std::vector<const Tensor*> inputs, outputs;
    for (LiveValues& sample : live) {
      fastest = std::min(fastest, TRY(runner.Run(sample)));
      inputs.push_back(node.inputs.empty() ? nullptr : Find(sample, node.inputs[0]));
      outputs.push_back(Find(sample, node.outputs[0]));
    }
    TRY(visit({i, fastest, inputs, outputs}));
    for (LiveValues& sample : live)
      for (ValueId value : node.inputs)
        if (value != kNoValue && last_use.at(value) == i) sample.erase(value);
  }
  return {};
}

}  // namespace soter
