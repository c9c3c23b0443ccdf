#include "tests/emulation/emulated_gpu.h"

#include <algorithm>
#include <map>

#include "tests/conformance/reference.h"

namespace soter::emulation {

namespace {

bool IsProduct(const Op& op) {
  return std::holds_alternative<Conv>(op) || std::holds_alternative<ConvTranspose>(op) ||
         std::holds_alternative<Linear>(op) || std::holds_alternative<MatMul>(op);
}

bool IsConvolution(const Op& op) {
  return std::holds_alternative<Conv>(op) || std::holds_alternative<ConvTranspose>(op);
}

// Veltkamp's splitting leaves the 11 leading bits, rounded to nearest.
constexpr float kSplitter = (1 << 13) + 1;

float RoundedTo11Bits(float x) {
  float scaled = x * kSplitter;
  return scaled - (scaled - x);
}

// Rounder writes a graph in which every product's operands are rounded first: parameters at once, all else by
// operators. float16 also rounds what a convolution returns.
class Rounder {
 public:
  using Weights = std::unordered_map<WeightId, std::shared_ptr<const Tensor>>;

  Rounder(const Graph& graph, const Weights& weights, bool rounds_results) : graph_(graph), rounds_results_(rounds_results) {
    for (const Initializer& initializer : graph.initializers) {
      parameters_[initializer.value] = initializer.data != nullptr ? initializer.data : weights.at(initializer.weight);
    }
    splitter_ = AddConstant(Tensor::FromValues<float>({}, std::vector{kSplitter}));
    std::vector<Node> nodes = std::exchange(graph_.nodes, {});
    for (Node& node : nodes) Add(std::move(node));
  }
  Graph Take() && { return std::move(graph_); }

 private:
  void Add(Node node) {
    bool rounds = rounds_results_ && IsConvolution(node.op);
    for (size_t i = 0; IsProduct(node.op) && i < 2; ++i) node.inputs[i] = Rounded(node.inputs[i]);
    ValueId result = node.outputs[0];
    if (rounds) node.outputs[0] = graph_.AddValue("");
    ValueId computed = node.outputs[0];
    graph_.nodes.push_back(std::move(node));
    if (rounds) Split(computed, result);
  }

  void Emit(BinaryKind kind, ValueId a, ValueId b, ValueId y) { graph_.nodes.push_back({"round", Binary{kind}, {a, b}, {y}}); }

  ValueId Split(ValueId x, ValueId y) {
    ValueId scaled = graph_.AddValue(""), rest = graph_.AddValue("");
    Emit(BinaryKind::kMul, x, splitter_, scaled);
    Emit(BinaryKind::kSub, scaled, x, rest);
    Emit(BinaryKind::kSub, scaled, rest, y);
    return y;
  }

  ValueId Rounded(ValueId x) {
    if (!parameters_.contains(x)) return Split(x, graph_.AddValue(""));
    auto [rounded, fresh] = rounded_.try_emplace(x, kNoValue);
    if (!fresh) return rounded->second;
    Tensor tensor = parameters_.at(x)->Clone();
    for (float& value : tensor.MutableAs<float>()) value = RoundedTo11Bits(value);
    return rounded->second = AddConstant(std::move(tensor));
  }

  ValueId AddConstant(Tensor tensor) {
    ValueId value = graph_.AddValue("");
    auto data = std::make_shared<const Tensor>(std::move(tensor));
    graph_.initializers.push_back({value, data->type(), data, kNoWeight});
    return value;
  }

  Graph graph_;
  bool rounds_results_;
  ValueId splitter_ = kNoValue;
  std::map<ValueId, std::shared_ptr<const Tensor>> parameters_;
  std::map<ValueId, ValueId> rounded_;
};

Result<StaticGraph> BindAsBefore(Graph graph, const StaticGraph& before) {
  std::vector<Shape> shapes;
  for (const GraphInput& input : before.graph().inputs) shapes.push_back(before.type(input.value).shape);
  return Bind(TRY(ValidatedGraph::Validate(std::move(graph))), shapes);
}

void Move(const wire::Port& port, const std::byte* source, Layout from, std::byte* target, Layout to) {
  if (port.layout != Layout::kDense) Relayout(port.type, from, source, to, target);
  else std::copy_n(source, SizeBytes(port.type).value(), target);
}

}  // namespace

BackendInfo EmulatedGpu::info() const {
  using enum wire::Arithmetic;
  return {.name = "emulated-gpu", .device = "simulation of a GPU's rounding on the CPU",
          .arithmetics = {kFloat32, kTf32, kFloat16, kFloat64}};
}

Status EmulatedGpu::LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) {
  weights_[id] = weight;
  return cpu_.LoadWeight(id, std::move(weight));
}

Status EmulatedGpu::LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                                std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) {
  arithmetic = always_.value_or(arithmetic);
  if (arithmetic == wire::Arithmetic::kFloat64) return LoadExact(segment, graph, inputs, outputs);
  if (arithmetic == wire::Arithmetic::kFloat32) return cpu_.LoadSegment(segment, graph, arithmetic, inputs, outputs);
  StaticGraph rounded = TRY(BindAsBefore(Rounder(graph.graph(), weights_, arithmetic == wire::Arithmetic::kFloat16).Take(), graph));
  return cpu_.LoadSegment(segment, rounded, wire::Arithmetic::kFloat32, inputs, outputs);
}

Status EmulatedGpu::LoadExact(uint32_t segment, const StaticGraph& graph, std::span<const wire::Port> inputs,
                              std::span<const wire::Port> outputs) {
  Graph whole = graph.graph();
  for (Initializer& initializer : whole.initializers) {
    if (initializer.data == nullptr) initializer.data = weights_.at(initializer.weight);
    initializer.weight = kNoWeight;
  }
  exact_.insert_or_assign(segment, Exact{TRY(BindAsBefore(std::move(whole), graph)),
                                         {inputs.begin(), inputs.end()}, {outputs.begin(), outputs.end()}});
  return {};
}

Status EmulatedGpu::Run(uint32_t segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
                        const std::function<void(size_t)>& on_output) {
  auto exact = exact_.find(segment);
  return exact == exact_.end() ? cpu_.Run(segment, inputs, outputs, on_output)
                               : RunExact(exact->second, inputs, outputs, on_output);
}

Status EmulatedGpu::RunExact(const Exact& exact, std::span<const std::byte* const> inputs,
                             std::span<std::byte* const> outputs, const std::function<void(size_t)>& on_output) const {
  std::vector<Tensor> given;
  for (size_t i = 0; i < inputs.size(); ++i) {
    given.push_back(TRY(Tensor::Allocate(exact.inputs[i].type)));
    Move(exact.inputs[i], inputs[i], exact.inputs[i].layout, given.back().mutable_bytes().data(), Layout::kDense);
  }
  std::vector<Tensor> computed = TRY(reference::Interpret(exact.graph, given));
  for (size_t i = 0; i < outputs.size(); ++i) {
    Move(exact.outputs[i], computed[i].bytes().data(), Layout::kDense, outputs[i], exact.outputs[i].layout);
    on_output(i);
  }
  return {};
}

void EmulatedGpu::DropSegments() {
  cpu_.DropSegments();
  exact_.clear();
}

void EmulatedGpu::DropWeights() {
  cpu_.DropWeights();
  weights_.clear();
}

BackendFactory EmulatedGpuFactory(std::optional<wire::Arithmetic> always) {
  return [always](uint32_t threads) -> Result<std::unique_ptr<Backend>> {
    return std::unique_ptr<Backend>(std::make_unique<EmulatedGpu>(threads, always));
  };
}

}  // namespace soter::emulation
