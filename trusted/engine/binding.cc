#include "trusted/engine/binding.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "common/graph/op_traits.h"
#include "trusted/engine/enclave_costs.h"
#include "trusted/engine/profile.h"
#include "trusted/engine/shadow.h"
#include "trusted/engine/subgraph.h"

namespace soter {
namespace {

class BindingBuilder {
 public:
  BindingBuilder(const BindingContext& context, StaticGraph graph, ValidatedPlan plan, Refused& refused)
      : context_(context), refused_(refused), binding_(std::make_unique<Binding>(Binding{std::move(graph), std::move(plan)})) {}

  Result<std::unique_ptr<Binding>> Build() && {
    FindMaskedScales();
    CountUses();
    spare_bytes_ = SpareBytes(graph());
    TRY(MakeEdges());
    TRY(LoadAccelerator());
    if (!refused_.values.empty()) return *refused_.why;
    if (HasFingerprints()) TRY(MakeFingerprints());
    for (const Stage& stage : plan().stages) TRY(stage.accelerator ? FinishAcceleratorStage(stage) : AddEnclaveStage(stage));
    return std::move(binding_);
  }

 private:
  const Plan& plan() const { return binding_->plan.plan(); }
  const StaticGraph& graph() const { return binding_->graph; }
  const Node& node(uint32_t index) const { return graph().graph().nodes[index]; }

  // Makes all segments and uploads what they refer to. Nothing is released before the accelerator has taken everything.
  Status LoadAccelerator() {
    for (const Stage& stage : plan().stages)
      if (stage.accelerator) TRY(AddAcceleratorStage(stage));
    if (segments_.empty() || !refused_.values.empty()) return {};
    for (Refusal& refusal : TRY(context_.accelerator->LoadSegments(segments_))) {
      for (uint32_t index : segment_nodes_[refusal.segment]) refused_.values.insert(node(index).outputs[0]);
      if (!refused_.why) refused_.why = std::move(refusal.why);
    }
    return {};
  }

  void FindMaskedScales() {
    std::vector<bool> masked = ScaledNodes(plan());
    classes_ = std::make_unique<ScaleClasses>(graph(), masked);
    for (size_t i = 0; i < masked.size(); ++i)
      if (plan().placement[i].masked) {
        for (ValueId value : node(static_cast<uint32_t>(i)).outputs) masked_values_.insert(value);
        for (ValueId value : node(static_cast<uint32_t>(i)).inputs) masked_values_.insert(value);
      }
  }

  float ScaleOf(ValueId value) {
    return masked_values_.contains(value) ? context_.scales.ScaleOf(classes_->Representative(value)) : 1.0f;
  }

  std::set<ValueId> ConstantsOf(const Stage& stage) const {
    std::set<ValueId> constants;
    for (uint32_t index : stage.nodes)
      for (ValueId value : node(index).inputs)
        if (value != kNoValue && graph().initializer(value) != nullptr) constants.insert(value);
    return constants;
  }

  // How many stages still need the plain form of each parameter.
  void CountUses() {
    for (const Stage& stage : plan().stages)
      for (ValueId value : ConstantsOf(stage)) ++uses_[value];
  }

  void Used(ValueId value) {
    if (--uses_[value] == 0) used_up_.push_back(value);
  }

  Status MakeEdges() {
    const Graph& g = graph().graph();
    std::set<ValueId> outside(g.outputs.begin(), g.outputs.end());
    for (const GraphInput& input : g.inputs) outside.insert(input.value);
    std::set<ValueId> values = outside;
    for (const Stage& stage : plan().stages) {
      values.insert(stage.inputs.begin(), stage.inputs.end());
      values.insert(stage.outputs.begin(), stage.outputs.end());
      if (IsChecked(stage)) AddShadowValues(stage, values);
    }
    for (ValueId value : values) {
      if (graph().initializer(value) != nullptr) continue;  // a constant output is copied from the graph
      const TensorType& type = graph().type(value);
      Layout layout = outside.contains(value) ? Layout::kDense : EdgeLayout(type);
      Buffer buffer = TRY(TryBuffer(TRY(LaidOutBytes(type, layout))));
      binding_->edges[value] = std::make_unique<Edge>(Edge{type, layout, std::move(buffer)});
    }
    return {};
  }

  bool IsChecked(const Stage& stage) const { return stage.accelerator && plan().check == Check::kFreivalds; }

  void AddShadowValues(const Stage& stage, std::set<ValueId>& values) const {
    Shadow shadow = ShadowOf(graph(), stage);
    auto add = [&](const Stage& part) {
      values.insert(part.inputs.begin(), part.inputs.end());
      values.insert(part.outputs.begin(), part.outputs.end());
    };
    add(shadow.after);
    for (const Shadow::Step& step : shadow.steps) {
      add(step.before);
      values.insert(node(step.node).inputs[0]);
      values.insert(node(step.node).outputs[0]);
    }
  }

  Layout EdgeLayout(const TensorType& type) const {
    bool blocked = type.dtype == DType::kFloat32 && type.shape.size() == 4 && type.shape[1] % 16 == 0;
    return blocked ? context_.activation_layout : Layout::kDense;
  }

  std::vector<Layout> LayoutsOf(const std::vector<ValueId>& values) {
    std::vector<Layout> layouts;
    for (ValueId value : values) layouts.push_back(binding_->edges.at(value)->layout);
    return layouts;
  }

  Status AddEnclaveStage(const Stage& stage) {
    auto source = [&](const Initializer& initializer) -> Result<std::shared_ptr<const Tensor>> {
      TRY(context_.weights.ReleaseUnheld(used_up_));  // by now the program has packed what it got before
      Used(initializer.value);
      return context_.weights.Get(initializer);
    };
    binding_->steps.push_back({TRY(MakeEnclaveStage(stage, source)), nullptr});
    return context_.weights.ReleaseUnheld(used_up_);
  }

  Result<std::unique_ptr<EnclaveStage>> MakeEnclaveStage(const Stage& stage, const WeightSource& source) {
    StaticGraph part = TRY(Subgraph(graph(), stage.nodes, stage.inputs, stage.outputs));
    ProgramOptions options{.threads = static_cast<int>(context_.settings.threads),
                           .input_layouts = LayoutsOf(stage.inputs), .output_layouts = LayoutsOf(stage.outputs),
                           .spare_bytes = &spare_bytes_};
    auto step = std::make_unique<EnclaveStage>(EnclaveStage{TRY(Program::Compile(part, source, options)), {}, {}});
    for (ValueId value : stage.inputs) step->inputs.push_back(binding_->edges.at(value)->buffer.bytes().data());
    for (ValueId value : stage.outputs) step->outputs.push_back(binding_->edges.at(value)->buffer.bytes().data());
    binding_->enclave_weight_bytes += step->program.weight_bytes();
    return step;
  }

  // A part of a shadow; null where there is nothing to compute. Its parameters stay for the upload of the stage.
  Result<std::unique_ptr<EnclaveStage>> MakeShadowStage(const Stage& part) {
    if (part.nodes.empty()) return std::unique_ptr<EnclaveStage>();
    return MakeEnclaveStage(part, [&](const Initializer& initializer) { return context_.weights.Get(initializer); });
  }

  // Uploads a parameter under its factor, once. One for which there is no room is noted in refused_ and gets no id.
  Result<WeightId> Upload(const ParameterUse& use, std::span<const uint32_t> nodes) {
    auto key = std::make_pair(use.initializer.value, use.factor);
    if (auto found = context_.uploads.find(key); found != context_.uploads.end()) return found->second;
    std::shared_ptr<const Tensor> plain = TRY(context_.weights.Get(use.initializer));
    WeightId id = context_.uploads.size() + 1;
    if (use.factor != 1.0f) plain = TRY(Masked(*plain, use.factor));
    Status loaded = context_.accelerator->LoadWeight(id, plain->view());
    if (!loaded.ok() && loaded.error().code == ErrorCode::kExhausted) {
      for (uint32_t index : nodes)
        if (std::ranges::count(node(index).inputs, use.initializer.value) > 0) refused_.values.insert(node(index).outputs[0]);
      if (!refused_.why) refused_.why = std::move(loaded).error();
      return kNoWeight;
    }
    TRY(std::move(loaded));
    context_.uploads[key] = id;
    return id;
  }

  static Result<std::shared_ptr<const Tensor>> Masked(const Tensor& plain, float factor) {
    Tensor masked = TRY(Tensor::Allocate(plain.type()));
    std::span<const float> source = plain.As<float>();
    std::span<float> target = masked.MutableAs<float>();
    for (size_t i = 0; i < source.size(); ++i) target[i] = source[i] * factor;
    return std::make_shared<const Tensor>(std::move(masked));
  }

  Result<Segment> MakeSegment(std::span<const uint32_t> nodes, const std::vector<ValueId>& inputs,
                              const std::vector<ValueId>& outputs) {
    Segment segment{.id = static_cast<uint32_t>(segments_.size()), .arithmetic = context_.settings.precision};
    segment.graph = TRY(AcceleratorGraph(graph(), nodes, inputs, outputs, [&](ValueId value) { return ScaleOf(value); },
                                         [&](const ParameterUse& use) { return Upload(use, nodes); }));
    segment_nodes_.emplace_back(nodes.begin(), nodes.end());
    for (ValueId value : inputs) segment.input_types.push_back(graph().type(value));
    for (ValueId value : outputs) segment.output_types.push_back(graph().type(value));
    return segment;
  }

  Status AddAcceleratorStage(const Stage& stage) {
    std::vector<ValueId> returned = ReturnedValues(graph(), plan().check, stage);
    Segment segment = TRY(MakeSegment(stage.nodes, stage.inputs, returned));
    segment.input_layouts = LayoutsOf(stage.inputs);
    segment.output_layouts = LayoutsOf(returned);
    auto step = std::make_unique<AcceleratorStage>();
    step->segment = segment.id;
    for (ValueId value : stage.inputs) step->sends.push_back(CrossingOf(value));
    for (ValueId value : returned) step->receipts.push_back({.crossing = CrossingOf(value)});
    if (HasFingerprints()) TRY(AddFingerprintRows(stage, segment));
    for (size_t i = 0; i < segment.input_types.size(); ++i)
      binding_->bytes_sent += TRY(LaidOutBytes(segment.input_types[i], segment.input_layouts[i]));
    for (size_t i = 0; i < segment.output_types.size(); ++i)
      binding_->bytes_received += TRY(LaidOutBytes(segment.output_types[i], segment.output_layouts[i]));
    binding_->receipt_count += step->receipts.size();
    segments_.push_back(std::move(segment));
    loaded_stages_.push_back(std::move(step));
    return {};
  }

  // The stages were added in the same order.
  Status FinishAcceleratorStage(const Stage& stage) {
    std::unique_ptr<AcceleratorStage> step = std::move(loaded_stages_[finished_stages_++]);
    if (IsChecked(stage)) TRY(AddChecks(ShadowOf(graph(), stage), *step));
    if (HasFingerprints()) TRY(AddMixedBatch(stage, *step));
    for (ValueId value : ConstantsOf(stage)) Used(value);
    TRY(context_.weights.ReleaseUnheld(used_up_));
    binding_->steps.push_back({nullptr, std::move(step)});
    return {};
  }

  Crossing CrossingOf(ValueId value) { return {binding_->edges.at(value).get(), ScaleOf(value)}; }

  Status AddChecks(const Shadow& shadow, AcceleratorStage& stage) {
    for (size_t i = 0; i < shadow.steps.size(); ++i) {
      Receipt& receipt = stage.receipts[i];
      const Node& linear = node(shadow.steps[i].node);
      receipt.input = binding_->edges.at(linear.inputs[0]).get();
      receipt.check.emplace(TRY(MakeFreivalds(linear, *receipt.input, *receipt.crossing.edge)));
      receipt.scratch = &binding_->scratch[i % 2];
      TRY(receipt.scratch->Reserve(receipt.check->scratch_bytes()));
      if (i > 0 && MakeFollowUp(shadow, i, stage)) continue;
      receipt.before = TRY(MakeShadowStage(shadow.steps[i].before));
    }
    stage.after = TRY(MakeShadowStage(shadow.after));
    return {};
  }

  // Lets the receipt before `i` make the input of `i` as its values come in; false where that is more than an activation.
  bool MakeFollowUp(const Shadow& shadow, size_t i, AcceleratorStage& stage) {
    Receipt &maker = stage.receipts[i - 1], &receipt = stage.receipts[i];
    const Stage& before = shadow.steps[i].before;
    const ValueId result = node(shadow.steps[i - 1].node).outputs[0], input = node(shadow.steps[i].node).inputs[0];
    BandActivation activation = ActivationOf(graph(), before.nodes, *maker.check, maker.crossing.edge->layout);
    if (activation == BandActivation::kNone || node(before.nodes[0]).inputs[0] != result || before.outputs != std::vector{input})
      return false;
    if (activation == BandActivation::kReluPool ? receipt.input->layout != maker.crossing.edge->layout
                                            : !SameMemory(*receipt.input, *maker.crossing.edge)) return false;
    if (activation == BandActivation::kRelu && IsOnlyFor(result, shadow, i) && IsOnlyFor(input, shadow, i)) {
      receipt.input->buffer = {};
      receipt.input = maker.crossing.edge;
    }
    maker.follow = {.activation = activation, .activated = receipt.input->floats().data()};
    receipt.input_summed = maker.check->HasRowBands() && receipt.check->HasRowBands();
    if (receipt.input_summed) maker.follow.next = &*receipt.check, maker.follow.next_scratch = receipt.scratch;
    return true;
  }

  static bool SameMemory(const Edge& a, const Edge& b) { return a.type == b.type && a.layout == b.layout; }

  // Whether nothing reads `value` but the activation before step `i` and the linear operator of that step.
  bool IsOnlyFor(ValueId value, const Shadow& shadow, size_t i) const {
    const Graph& g = graph().graph();
    if (std::find(g.outputs.begin(), g.outputs.end(), value) != g.outputs.end()) return false;
    for (uint32_t index = 0; index < g.nodes.size(); ++index) {
      bool own = index == shadow.steps[i].node || index == shadow.steps[i].before.nodes[0];
      if (!own && std::count(g.nodes[index].inputs.begin(), g.nodes[index].inputs.end(), value) > 0) return false;
    }
    return true;
  }

  Result<Freivalds> MakeFreivalds(const Node& linear, const Edge& x, const Edge& y) {
    std::shared_ptr<const Tensor> weight = TRY(context_.weights.Get(*graph().initializer(linear.inputs[1])));
    std::shared_ptr<const Tensor> bias;
    if (linear.inputs.size() > 2 && linear.inputs[2] != kNoValue)
      bias = TRY(context_.weights.Get(*graph().initializer(linear.inputs[2])));
    return Freivalds::Create({linear, x.type, y.type, x.layout, y.layout, *weight, bias.get()},
                             FamilyOf(linear, context_.settings.precision, context_.settings.worker_kind),
                             static_cast<int>(context_.settings.threads), context_.random);
  }

  // Profiles the network on random inputs and keeps, for every operator to be checked, its cornerstones.
  Status MakeFingerprints() {
    binding_->node_ms.assign(graph().graph().nodes.size(), 0.0);
    return ProfileGraph(graph(), context_.weights, static_cast<int>(context_.settings.threads),
                        context_.settings.cornerstones, context_.random, [&](const NodeProfile& profile) -> Status {
                          binding_->node_ms[profile.node] = profile.milliseconds;
                          bool has_rows = plan().placement[profile.node].checked && RowsOf(node(profile.node)) > 0;
                          if (has_rows) TRY(AddFingerprint(profile));
                          return {};
                        });
  }

  Status AddFingerprint(const NodeProfile& profile) {
    const Node& linear = node(profile.node);
    std::shared_ptr<const Tensor> weight = TRY(context_.weights.Get(*graph().initializer(linear.inputs[1])));
    std::shared_ptr<const Tensor> bias;
    if (linear.inputs.size() > 2 && linear.inputs[2] != kNoValue)
      bias = TRY(context_.weights.Get(*graph().initializer(linear.inputs[2])));
    std::vector<Tensor> inputs, outputs;
    for (const Tensor* tensor : profile.inputs) inputs.push_back(TRY(FirstRow(linear, *tensor)));
    for (const Tensor* tensor : profile.outputs) outputs.push_back(TRY(FirstRow(linear, *tensor)));
    fingerprints_.emplace(profile.node, Fingerprint(linear, *weight, bias.get(), std::move(inputs), std::move(outputs)));
    return {};
  }

  // What a linear operator treats separately: an image, or one vector of a Linear.
  static TensorType RowType(const Node& linear, TensorType type, int64_t rows) {
    if (std::holds_alternative<Linear>(linear.op)) type.shape = {rows, type.shape.back()};
    else type.shape[0] = rows;
    return type;
  }

  static Result<Tensor> FirstRow(const Node& linear, const Tensor& tensor) {
    Tensor row = TRY(Tensor::Allocate(RowType(linear, tensor.type(), 1)));
    CHECK(row.bytes().size() <= tensor.bytes().size(), "a sample has a row");
    std::memcpy(row.mutable_bytes().data(), tensor.bytes().data(), row.bytes().size());
    return row;
  }

  bool HasFingerprints() const {
    return context_.accelerator != nullptr && plan().check == Check::kFingerprint && context_.settings.fingerprint_rate > 0;
  }

  // The user's rows of an operator's input; 0 fingerprints ride where there are none.
  int64_t RowsOf(const Node& linear) const {
    const TensorType& x = graph().type(linear.inputs[0]);
    int64_t row = ElementCount(RowType(linear, x, 1).shape).value();
    return row == 0 ? 0 : ElementCount(x.shape).value() / row;
  }

  // Makes room for fingerprints among the rows of the request.
  Status AddFingerprintRows(const Stage& stage, Segment& segment) {
    CHECK(stage.nodes.size() == 1 && segment.input_types.size() == 1 && segment.output_types.size() == 1, "see plan.h");
    const Node& linear = node(stage.nodes[0]);
    int64_t rows = RowsOf(linear), extra = MixedBatch::ExtraRows(context_.settings.fingerprint_rate, rows);
    if (extra == 0) return {};
    binding_->receipt_count += static_cast<size_t>(extra);
    segment.input_types[0] = RowType(linear, segment.input_types[0], rows + extra);
    segment.output_types[0] = RowType(linear, segment.output_types[0], rows + extra);
    std::vector<Dim>& dims = segment.graph.inputs[0].shape;
    dims.clear();
    for (int64_t extent : segment.input_types[0].shape) dims.push_back(Dim::Constant(extent));
    return {};
  }

  Status AddMixedBatch(const Stage& stage, AcceleratorStage& step) {
    auto found = fingerprints_.find(stage.nodes[0]);
    if (found == fingerprints_.end()) return {};
    int64_t rows = RowsOf(node(stage.nodes[0])), extra = MixedBatch::ExtraRows(context_.settings.fingerprint_rate, rows);
    if (extra == 0) return {};
    step.mixed.emplace(TRY(MixedBatch::Create(std::move(found->second), rows, extra, step.sends[0].edge->layout,
                                              step.receipts[0].crossing.edge->layout)));
    return {};
  }

  const BindingContext& context_;
  Refused& refused_;
  std::unique_ptr<Binding> binding_;
  std::unique_ptr<ScaleClasses> classes_;
  std::set<ValueId> masked_values_;
  std::map<ValueId, uint32_t> uses_;
  size_t spare_bytes_ = 0;
  std::vector<ValueId> used_up_;  // by all stages, but maybe still held by the one being made
  std::vector<Segment> segments_;
  std::vector<std::vector<uint32_t>> segment_nodes_;
  std::vector<std::unique_ptr<AcceleratorStage>> loaded_stages_;
  size_t finished_stages_ = 0;
  std::map<uint32_t, Fingerprint> fingerprints_;  // by node, until its stage takes it
};

}  // namespace

Result<std::unique_ptr<Binding>> BuildBinding(const BindingContext& context, StaticGraph graph, ValidatedPlan plan,
                                              Refused& refused) {
  return BindingBuilder(context, std::move(graph), std::move(plan), refused).Build();
}

}  // namespace soter
