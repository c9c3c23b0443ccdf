#include <algorithm>
#include <charconv>
#include <iterator>

#include "common/graph/graph.h"

namespace soter {
namespace {

// Printable keeps names from outside from steering a terminal.
std::string Printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

class AttributePrinter {
 public:
  template <typename E>
    requires std::is_enum_v<E>
  void operator()(const char* name, E value) { Append(name, std::to_string(static_cast<int>(value))); }
  void operator()(const char* name, DType value) { Append(name, DTypeName(value)); }
  void operator()(const char* name, bool value) { Append(name, value ? "true" : "false"); }
  void operator()(const char* name, int64_t value) { Append(name, std::to_string(value)); }
  void operator()(const char* name, float value) {
    char shortest[32];
    Append(name, std::string(shortest, std::to_chars(shortest, std::end(shortest), value).ptr));
  }
  void operator()(const char* name, const std::vector<int64_t>& value) { Append(name, ShapeString(value)); }
  void operator()(const char*, const Window& value) { Window::Fields(value, *this); }

  std::string text() const { return text_.empty() ? "" : std::string(" {").append(text_).append("}"); }

 private:
  void Append(const char* name, const std::string& value) {
    if (!text_.empty()) text_ += ", ";
    text_.append(name).append("=").append(value);
  }
  std::string text_;
};

class Printer {
 public:
  explicit Printer(const Graph& graph) : graph_(graph) {}

  std::string Run() {
    for (const GraphInput& input : graph_.inputs)
      Line("input", ValueText(input.value) + ": " + DTypeName(input.dtype) + DimsText(input.shape));
    for (const Initializer& initializer : graph_.initializers)
      Line("initializer", ValueText(initializer.value) + ": " + TypeString(initializer.type) + DataText(initializer));
    for (const Node& node : graph_.nodes) Line("node", NodeText(node));
    for (ValueId value : graph_.outputs) Line("output", ValueText(value));
    return std::move(text_);
  }

 private:
  void Line(const char* kind, const std::string& rest) { text_.append(kind).append(" ").append(rest).append("\n"); }

  std::string ValueText(ValueId value) const {
    if (value == kNoValue) return "-";
    std::string text = std::to_string(value);
    text.insert(0, 1, '%');
    if (value < graph_.value_names.size() && !graph_.value_names[value].empty())
      text.append(":").append(Printable(graph_.value_names[value]));
    return text;
  }

  std::string ListText(const std::vector<ValueId>& values) const {
    std::string text;
    for (ValueId value : values) text.append(text.empty() ? "" : ", ").append(ValueText(value));
    return text;
  }

  std::string DimsText(const std::vector<Dim>& shape) const {
    std::string text;
    for (const Dim& dim : shape) {
      if (!text.empty()) text += ", ";
      if (!dim.is_symbol()) text += std::to_string(dim.extent());
      else text += dim.symbol() < graph_.symbols.size() ? Printable(graph_.symbols[dim.symbol()]) : "?";
    }
    return std::string("[").append(text).append("]");
  }

  static std::string DataText(const Initializer& initializer) {
    if (initializer.weight != kNoWeight) return " on the accelerator as " + std::to_string(initializer.weight);
    if (initializer.data == nullptr) return " without data";
    bool is_shape = initializer.type.dtype == DType::kInt64 && initializer.data->bytes().size() <= kMaxRank * 8;
    if (!is_shape) return "";
    std::span<const int64_t> values = initializer.data->As<int64_t>();
    return " = " + ShapeString(Shape(values.begin(), values.end()));
  }

  std::string NodeText(const Node& node) const {
    AttributePrinter attributes;
    std::visit([&](const auto& op) { std::decay_t<decltype(op)>::Fields(op, attributes); }, node.op);
    std::string text = ListText(node.outputs) + " = " + OpName(node.op) + "(" + ListText(node.inputs) + ")";
    text += attributes.text();
    if (!node.name.empty()) text += "  # " + Printable(node.name);
    return text;
  }

  const Graph& graph_;
  std::string text_;
};

}  // namespace

std::string Dump(const Graph& graph) { return Printer(graph).Run(); }

}  // namespace soter
