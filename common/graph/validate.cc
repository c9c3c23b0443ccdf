#include <algorithm>
#include <unordered_set>

#include "common/graph/graph.h"
#include "common/graph/node_rules.h"

// ValidatedGraph::Validate, rule by rule in the order of docs/spec/graph.md section 2.
namespace soter {
namespace {

bool AllBools(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte <= std::byte{1}; });
}

enum class Definition : uint8_t { kNone, kInput, kInitializer, kNode };

class Validator {
 public:
  explicit Validator(const Graph& graph) : graph_(graph) {}

  Status Run() {
    TRY(CheckSizes());
    definitions_.assign(graph_.value_names.size(), Definition::kNone);
    for (const GraphInput& input : graph_.inputs) TRY(CheckInput(input));
    for (const Initializer& initializer : graph_.initializers) TRY(CheckInitializer(initializer));
    for (const Node& node : graph_.nodes) {
      Status status = CheckNodeInGraph(node);
      if (!status.ok()) return Annotate(std::move(status).error(), NodeLabel(node));
    }
    return CheckOutputs();
  }

 private:
  Status CheckSizes() const {
    if (graph_.value_names.size() > kMaxValues) return Malformed("the graph has too many values");
    if (graph_.nodes.size() > kMaxNodes) return Malformed("the graph has too many nodes");
    if (graph_.symbols.size() > kMaxSymbols) return Malformed("the graph has too many symbols");
    std::unordered_set<std::string> symbols;
    for (const std::string& symbol : graph_.symbols) {
      if (symbol.empty() || symbol.size() > kMaxNameBytes) return Malformed("a symbol's name is empty or too long");
      if (!symbols.insert(symbol).second) return Malformed("symbol '" + symbol + "' is defined twice");
    }
    for (const std::string& name : graph_.value_names)
      if (name.size() > kMaxNameBytes) return Malformed("a value's name is too long");
    return {};
  }

  std::string ValueLabel(ValueId value) const {
    return "value " + std::to_string(value) + " '" + graph_.value_names[value] + "'";
  }

  Status Define(ValueId value, Definition definition) {
    if (value >= definitions_.size()) return Malformed("value " + std::to_string(value) + " does not exist");
    if (definitions_[value] != Definition::kNone) return Malformed(ValueLabel(value) + " is defined twice");
    definitions_[value] = definition;
    return {};
  }

  Status CheckUse(ValueId value) const {
    if (value >= definitions_.size()) return Malformed("value " + std::to_string(value) + " does not exist");
    if (definitions_[value] == Definition::kNone)
      return Malformed(ValueLabel(value) + " is used before it is defined");
    return {};
  }

  Status CheckInput(const GraphInput& input) {
    TRY(Define(input.value, Definition::kInput));
    std::string label = "input '" + graph_.value_names[input.value] + "'";
    TRY(DTypeFromNumber(static_cast<uint8_t>(input.dtype)));
    Shape extents;  // with every symbol at its least
    for (const Dim& dim : input.shape) {
      if (dim.is_symbol() && dim.symbol() >= graph_.symbols.size())
        return Malformed(label + " names an unknown symbol");
      extents.push_back(dim.is_symbol() ? 0 : dim.extent());
    }
    Result<int64_t> count = ElementCount(extents);
    if (!count.ok()) return Annotate(std::move(count).error(), label);
    return CheckEdgeName(input.value, label);
  }

  Status CheckInitializer(const Initializer& initializer) {
    TRY(Define(initializer.value, Definition::kInitializer));
    std::string label = "initializer " + ValueLabel(initializer.value);
    TRY(DTypeFromNumber(static_cast<uint8_t>(initializer.type.dtype)));
    Result<size_t> size_bytes = SizeBytes(initializer.type);
    if (!size_bytes.ok()) return Annotate(std::move(size_bytes).error(), label);
    if (initializer.data == nullptr) return {};
    if (initializer.weight != kNoWeight) return Malformed(label + " has both data and a weight id");
    if (initializer.data->type() != initializer.type || initializer.data->bytes().size() != *size_bytes)
      return Malformed(label + " is " + TypeString(initializer.type) + " but its data is " +
                       TypeString(initializer.data->type()));
    if (initializer.type.dtype == DType::kBool && !AllBools(initializer.data->bytes()))
      return Malformed(label + " holds a bool that is neither 0 nor 1");
    return {};
  }

  Status CheckNodeInGraph(const Node& node) {
    if (node.name.size() > kMaxNameBytes) return Malformed("the name is too long");
    TRY(CheckNode(node));
    for (ValueId value : node.inputs)
      if (value != kNoValue) TRY(CheckUse(value));
    bool has_weights = std::holds_alternative<Conv>(node.op) || std::holds_alternative<ConvTranspose>(node.op) ||
                       std::holds_alternative<Linear>(node.op);
    for (size_t i = 1; has_weights && i < node.inputs.size() && i <= 2; ++i)
      if (node.inputs[i] != kNoValue && definitions_[node.inputs[i]] != Definition::kInitializer)
        return Malformed("its weight and bias must be initializers");
    for (ValueId value : node.outputs) TRY(Define(value, Definition::kNode));
    return {};
  }

  Status CheckOutputs() {
    if (graph_.outputs.empty()) return Malformed("the graph has no output");
    std::unordered_set<ValueId> seen;
    for (ValueId value : graph_.outputs) {
      TRY(CheckUse(value));
      if (!seen.insert(value).second) return Malformed(ValueLabel(value) + " is an output twice");
      bool named_already = definitions_[value] == Definition::kInput;
      if (!named_already) TRY(CheckEdgeName(value, "output"));
    }
    return {};
  }

  // Inputs and outputs are addressed by name, so no two of them share one.
  Status CheckEdgeName(ValueId value, const std::string& label) {
    const std::string& name = graph_.value_names[value];
    if (name.empty()) return Malformed(label + " has no name");
    if (!edge_names_.insert(name).second) return Malformed("two inputs or outputs are named '" + name + "'");
    return {};
  }

  const Graph& graph_;
  std::vector<Definition> definitions_;
  std::unordered_set<std::string> edge_names_;
};

}  // namespace

Result<ValidatedGraph> ValidatedGraph::Validate(Graph graph) {
  TRY(Validator(graph).Run());
  return ValidatedGraph(std::move(graph));
}

}  // namespace soter
