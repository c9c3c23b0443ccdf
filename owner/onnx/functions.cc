// TakeNodes: model-local functions are replaced by their bodies before anything else looks at the graph.
#include <map>
#include <set>
#include <unordered_map>

#include "owner/onnx/source_node.h"

namespace soter {
namespace {

// FunctionProto.attribute_proto (IR 9) holds defaults; the installed protobuf types do not know the field yet.
constexpr int kAttributeProtoField = 11;
// A function's body may call functions; ONNX forbids recursion, and a chain this deep is no honest model.
constexpr int kMaxCallDepth = 32;

using FunctionKey = std::pair<std::string, std::string>;  // domain, name
using AttributeMap = std::unordered_map<std::string, onnx::AttributeProto>;
using OpsetMap = std::map<std::string, int64_t>;

Result<OpsetMap> ReadOpsets(const auto& imports) {
  OpsetMap opsets;
  for (const auto& import : imports) {
    const std::string domain = NormalDomain(import.domain());
    if (domain.empty() && (import.version() < kFirstOpset || import.version() > kLastOpset)) {
      return Unsupported("opset " + std::to_string(import.version()) + " of ONNX; supported are " +
                         std::to_string(kFirstOpset) + " to " + std::to_string(kLastOpset));
    }
    opsets[domain] = import.version();
  }
  return opsets;
}

Result<AttributeMap> ReadDefaults(const onnx::FunctionProto& function) {
  AttributeMap defaults;
  const auto& unknown = function.unknown_fields();
  for (int i = 0; i < unknown.field_count(); ++i) {
    const auto& field = unknown.field(i);
    if (field.number() != kAttributeProtoField) continue;
    onnx::AttributeProto attribute;
    if (field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED ||
        !attribute.ParseFromString(field.length_delimited())) {
      return Malformed("function '" + function.name() + "': a damaged default attribute");
    }
    std::string name = attribute.name();
    defaults.emplace(std::move(name), std::move(attribute));
  }
  return defaults;
}

class FunctionInliner {
 public:
  Status AddFunction(const onnx::FunctionProto& function) {
    const FunctionKey key{NormalDomain(function.domain()), function.name()};
    if (!functions_.emplace(key, &function).second) {
      return Malformed("function '" + function.name() + "' is defined twice");
    }
    return {};
  }

  // Appends `node`, or the body of the function that it calls. `opsets` are those of where the node stands.
  Status Append(onnx::NodeProto node, const OpsetMap& opsets, int depth) {
    const std::string domain = NormalDomain(node.domain());
    const auto function = functions_.find({domain, node.op_type()});
    if (function != functions_.end()) return AppendBody(node, *function->second, depth + 1);
    if (nodes_.size() >= kMaxNodes) return Exhausted("more than " + std::to_string(kMaxNodes) + " nodes");
    const auto opset = opsets.find(domain);
    if (opset == opsets.end() && domain.empty()) {
      return Malformed("no opset of ONNX is imported, but " + NodeLabel(node) + " needs one");
    }
    nodes_.push_back({std::move(node), opset == opsets.end() ? 0 : opset->second});
    return {};
  }

  std::vector<SourceNode> Take() { return std::move(nodes_); }

 private:
  Status AppendBody(const onnx::NodeProto& call, const onnx::FunctionProto& function, int depth) {
    if (depth > kMaxCallDepth) return Malformed("function '" + function.name() + "' calls itself");
    if (call.input_size() > function.input_size() || call.output_size() > function.output_size()) {
      return Malformed(NodeLabel(call) + " has more operands than its function");
    }
    // Also counts bodies without nodes of their own, so that nested calls cannot take for ever.
    if (++calls_ > kMaxNodes) return Exhausted("more than " + std::to_string(kMaxNodes) + " function calls");
    const OpsetMap opsets = TRY(ReadOpsets(function.opset_import()));
    const AttributeMap attributes = TRY(BindAttributes(call, function));
    std::unordered_map<std::string, std::string> names;
    for (int i = 0; i < function.input_size(); ++i) {
      names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
    }
    for (int i = 0; i < call.output_size(); ++i) {
      if (!call.output(i).empty()) names[function.output(i)] = call.output(i);
    }
    const std::string& caller = call.name().empty() ? function.name() : call.name();
    const std::string prefix = caller + "/" + std::to_string(calls_) + "/";
    for (onnx::NodeProto node : function.node()) {
      Rename(prefix, &names, &node);
      TRY(Substitute(attributes, function, &node));
      TRY(Append(std::move(node), opsets, depth));
    }
    return {};
  }

  static Result<AttributeMap> BindAttributes(const onnx::NodeProto& call, const onnx::FunctionProto& function) {
    AttributeMap attributes = TRY(ReadDefaults(function));
    for (const auto& attribute : call.attribute()) attributes.insert_or_assign(attribute.name(), attribute);
    return attributes;
  }

  // Gives the body's values and nodes names that no other call shares.
  static void Rename(const std::string& prefix, std::unordered_map<std::string, std::string>* names,
                     onnx::NodeProto* node) {
    node->set_name(prefix + node->name());
    const auto rename = [&](std::string* name) {
      if (name->empty()) return;
      *name = names->try_emplace(*name, prefix + *name).first->second;
    };
    for (std::string& input : *node->mutable_input()) rename(&input);
    for (std::string& output : *node->mutable_output()) rename(&output);
  }

  // Replaces attributes that refer to the call's by their values; one that the call leaves out is left out.
  static Status Substitute(const AttributeMap& attributes, const onnx::FunctionProto& function,
                           onnx::NodeProto* node) {
    std::vector<onnx::AttributeProto> kept;
    for (auto& attribute : *node->mutable_attribute()) {
      if (attribute.ref_attr_name().empty()) {
        kept.push_back(std::move(attribute));
        continue;
      }
      const auto value = attributes.find(attribute.ref_attr_name());
      const auto& declared = function.attribute();
      if (value == attributes.end()) {
        if (std::find(declared.begin(), declared.end(), attribute.ref_attr_name()) != declared.end()) continue;
        return Malformed("function '" + function.name() + "' refers to an attribute '" + attribute.ref_attr_name() +
                         "' that it does not have");
      }
      kept.push_back(value->second);
      kept.back().set_name(attribute.name());
    }
    node->clear_attribute();
    for (auto& attribute : kept) *node->add_attribute() = std::move(attribute);
    return {};
  }

  std::map<FunctionKey, const onnx::FunctionProto*> functions_;
  std::vector<SourceNode> nodes_;
  size_t calls_ = 0;
};

}  // namespace

Result<std::vector<SourceNode>> TakeNodes(onnx::ModelProto* model) {
  const OpsetMap opsets = TRY(ReadOpsets(model->opset_import()));
  FunctionInliner inliner;
  for (const auto& function : model->functions()) TRY(inliner.AddFunction(function));
  for (auto& node : *model->mutable_graph()->mutable_node()) TRY(inliner.Append(std::move(node), opsets, 0));
  return inliner.Take();
}

}  // namespace soter
