// RNN, GRU and LSTM: the products with the whole input are one Linear, which can be offloaded; what is left of the
// operator runs in the enclave.
#include "owner/onnx/compose.h"

namespace soter {
namespace {

struct RecurrentForm {
  RecurrentKind kind;
  int64_t directions = 1;
  bool reverse = false;  // of the only direction
  bool batch_first = false;
  bool linear_before_reset = false;
  std::vector<GateActivation> activations;  // of each direction in turn
};

size_t ActivationCount(RecurrentKind kind) {
  return kind == RecurrentKind::kRnn ? 1 : kind == RecurrentKind::kGru ? 2 : 3;
}

Result<GateActivation> ActivationCalled(const std::string& name) {
  constexpr std::pair<const char*, GateActivation> kNames[] = {
      {"Sigmoid", GateActivation::kSigmoid}, {"Tanh", GateActivation::kTanh}, {"Relu", GateActivation::kRelu}};
  for (const auto& [known, activation] : kNames) {
    if (name == known) return activation;
  }
  return Unsupported("activation '" + name + "'; supported are Sigmoid, Tanh and Relu");
}

Result<std::vector<GateActivation>> ReadActivations(const OnnxNode& node, RecurrentKind kind, int64_t directions) {
  std::vector<std::string> names = TRY(node.Strings("activations"));
  if (names.empty()) {
    for (int64_t d = 0; d < directions; ++d) {
      if (kind != RecurrentKind::kRnn) names.push_back("Sigmoid");
      names.push_back("Tanh");
      if (kind == RecurrentKind::kLstm) names.push_back("Tanh");
    }
  }
  if (names.size() != ActivationCount(kind) * static_cast<size_t>(directions)) {
    return Malformed("has " + std::to_string(names.size()) + " activations");
  }
  std::vector<GateActivation> activations;
  for (const std::string& name : names) activations.push_back(TRY(ActivationCalled(name)));
  return activations;
}

Result<RecurrentForm> ReadForm(const OnnxNode& node, RecurrentKind kind) {
  node.Ignore({"hidden_size", "output_sequence"});  // the weights say it; opset 6 asked for outputs by a flag
  if (node.Has("clip")) return Unsupported("attribute 'clip' is not supported");
  if (TRY(node.Flag("input_forget", false))) return Unsupported("coupled input and forget gates are not supported");
  RecurrentForm form{.kind = kind, .batch_first = TRY(node.Flag("layout", false))};
  if (kind == RecurrentKind::kGru) form.linear_before_reset = TRY(node.Flag("linear_before_reset", false));
  const std::string direction = TRY(node.String("direction", "forward"));
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    return Malformed("direction '" + direction + "' is not one of forward, reverse, bidirectional");
  }
  form.directions = direction == "bidirectional" ? 2 : 1;
  form.reverse = direction == "reverse";
  form.activations = TRY(ReadActivations(node, kind, form.directions));
  return form;
}

// RecurrentLowering writes one direction after the other.
class RecurrentLowering {
 public:
  RecurrentLowering(Conversion& c, const OnnxNode& node, RecurrentForm form)
      : c_(c), node_(node), compose_(c, node), form_(std::move(form)) {}

  Status Run() {
    x_ = TRY(c_.Input(node_, 0));
    if (form_.batch_first) x_ = TRY(compose_.Emit(Transpose{{1, 0, 2}}, {x_}));
    std::vector<std::vector<ValueId>> parts(form_.kind == RecurrentKind::kLstm ? 3 : 2);
    for (int64_t d = 0; d < form_.directions; ++d) {
      const std::vector<ValueId> outputs = TRY(EmitDirection(d));
      for (size_t i = 0; i < parts.size(); ++i) parts[i].push_back(outputs[i]);
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!node_.output(i).empty()) c_.Bind(node_.output(i), TRY(Join(parts[i], i == 0)));
    }
    return {};
  }

 private:
  // Of operand i, [directions, ...], the part of direction d; kNoValue when absent.
  Result<ValueId> OfDirection(size_t i, int64_t d, int64_t axis = 0) {
    const ValueId value = TRY(c_.OptionalInput(node_, i));
    if (value == kNoValue) return kNoValue;
    return compose_.Emit(Gather{.axis = axis}, {value, compose_.Int64(d)});
  }

  Result<Recurrent> OpOf(int64_t d) const {
    const size_t count = ActivationCount(form_.kind);
    const GateActivation* activation = &form_.activations[static_cast<size_t>(d) * count];
    Recurrent op{.kind = form_.kind, .reverse = form_.reverse || d == 1,
                 .linear_before_reset = form_.linear_before_reset, .f = activation[0]};
    if (count > 1) op.g = activation[1];
    if (count > 2) op.h = activation[2];
    return op;
  }

  // x W^T + b; a Linear where W is a constant.
  Result<ValueId> Gates(ValueId weight, ValueId bias) {
    std::vector<ValueId> operands = {x_, weight};
    if (c_.Constant(weight) != nullptr && (bias == kNoValue || c_.Constant(bias) != nullptr)) {
      if (bias != kNoValue) operands.push_back(bias);
      return compose_.Emit(Linear{}, std::move(operands));
    }
    operands[1] = TRY(compose_.Emit(Transpose{{1, 0}}, {weight}));
    const ValueId product = TRY(compose_.Emit(MatMul{}, std::move(operands)));
    return bias == kNoValue ? Result<ValueId>(product) : compose_.Apply(BinaryKind::kAdd, product, bias);
  }

  Result<std::vector<ValueId>> EmitDirection(int64_t d) {
    const ValueId weight = TRY(OfDirection(1, d)), recurrence = TRY(OfDirection(2, d)), bias = TRY(OfDirection(3, d));
    if (weight == kNoValue || recurrence == kNoValue) return Malformed("its weights are missing");
    ValueId input_bias = kNoValue, recurrence_bias = kNoValue;
    if (bias != kNoValue) {  // [2 g h]: of the input, then of the recurrence
      const ValueId halves = TRY(compose_.Emit(Reshape{}, {bias, compose_.Int64s({2, -1})}));
      input_bias = TRY(compose_.Emit(Gather{}, {halves, compose_.Int64(0)}));
      recurrence_bias = TRY(compose_.Emit(Gather{}, {halves, compose_.Int64(1)}));
    }
    const int64_t state_axis = form_.batch_first ? 1 : 0;
    std::vector<ValueId> operands = {TRY(Gates(weight, input_bias)), recurrence, recurrence_bias,
                                     TRY(c_.OptionalInput(node_, 4)), TRY(OfDirection(5, d, state_axis))};
    if (form_.kind == RecurrentKind::kLstm) {
      operands.push_back(TRY(OfDirection(6, d, state_axis)));
      operands.push_back(TRY(OfDirection(7, d)));
    }
    const size_t outputs = form_.kind == RecurrentKind::kLstm ? 3 : 2;
    return c_.builder().EmitMany(node_.name(), TRY(OpOf(d)), std::move(operands), outputs);
  }

  // The directions side by side: a sequence [s, d, b, h] or [b, s, d, h], a state [d, b, h] or [b, d, h].
  Result<ValueId> Join(const std::vector<ValueId>& directions, bool is_sequence) {
    const int64_t axis = form_.batch_first ? (is_sequence ? 2 : 1) : (is_sequence ? 1 : 0);
    std::vector<ValueId> parts;
    for (ValueId part : directions) {
      if (form_.batch_first && is_sequence) part = TRY(compose_.Emit(Transpose{{1, 0, 2}}, {part}));
      parts.push_back(TRY(compose_.Emit(Unsqueeze{}, {part, compose_.Int64s({axis})})));
    }
    return parts.size() == 1 ? Result<ValueId>(parts[0]) : compose_.Emit(Concat{axis}, std::move(parts));
  }

  Conversion& c_;
  const OnnxNode& node_;
  Compose compose_;
  RecurrentForm form_;
  ValueId x_ = kNoValue;
};

template <RecurrentKind kKind>
Status ConvertRecurrent(Conversion& c, const OnnxNode& node) {
  return RecurrentLowering(c, node, TRY(ReadForm(node, kKind))).Run();
}

constexpr OperatorRow kOperators[] = {
    {"RNN", ConvertRecurrent<RecurrentKind::kRnn>},
    {"GRU", ConvertRecurrent<RecurrentKind::kGru>},
    {"LSTM", ConvertRecurrent<RecurrentKind::kLstm>},
};

}  // namespace

std::span<const OperatorRow> RecurrentOperators() { return kOperators; }

}  // namespace soter
