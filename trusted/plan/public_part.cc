#include "trusted/plan/public_part.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

using ConstantMap = std::map<ValueId, const Initializer*>;

ConstantMap ConstantsOf(const Graph& graph) {
  ConstantMap constants;
  for (const Initializer& initializer : graph.initializers) constants[initializer.value] = &initializer;
  return constants;
}

bool SameType(const TensorType& a, const TensorType& b) { return a.dtype == b.dtype && a.shape == b.shape; }

// Float parameters are what training changes; everything else is part of the architecture.
bool SameConstant(const Initializer& mine, const Initializer& theirs) {
  if (!SameType(mine.type, theirs.type)) return false;
  if (mine.type.dtype == DType::kFloat32) return true;
  if (mine.data == nullptr || theirs.data == nullptr) return false;
  std::span<const std::byte> a = mine.data->bytes(), b = theirs.data->bytes();
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Matcher walks both models side by side, as long as they are the same.
class Matcher {
 public:
  Matcher(const Graph& mine, const Graph& theirs)
      : mine_(mine), theirs_(theirs), my_constants_(ConstantsOf(mine)), their_constants_(ConstantsOf(theirs)) {
    for (size_t i = 0; i < std::min(mine.inputs.size(), theirs.inputs.size()); ++i)
      if (mine.inputs[i].dtype == theirs.inputs[i].dtype && mine.inputs[i].shape.size() == theirs.inputs[i].shape.size())
        counterpart_[mine.inputs[i].value] = theirs.inputs[i].value;
  }

  // How many nodes, from the first, both have in common.
  size_t CommonNodes() {
    size_t count = 0;
    while (count < std::min(mine_.nodes.size(), theirs_.nodes.size()) && Match(mine_.nodes[count], theirs_.nodes[count])) ++count;
    return count;
  }

  const Initializer* PublicOf(ValueId value) const {
    auto found = counterpart_.find(value);
    return found == counterpart_.end() ? nullptr : their_constants_.at(found->second);
  }
  bool IsConstant(ValueId value) const { return my_constants_.contains(value); }

 private:
  bool Match(const Node& mine, const Node& theirs) {
    if (mine.op != theirs.op || mine.inputs.size() != theirs.inputs.size() || mine.outputs.size() != theirs.outputs.size())
      return false;
    for (size_t k = 0; k < mine.inputs.size(); ++k)
      if (!MatchOperand(mine.inputs[k], theirs.inputs[k])) return false;
    for (size_t k = 0; k < mine.outputs.size(); ++k) counterpart_[mine.outputs[k]] = theirs.outputs[k];
    return true;
  }

  bool MatchOperand(ValueId mine, ValueId theirs) {
    if (mine == kNoValue || theirs == kNoValue) return mine == theirs;
    auto my_constant = my_constants_.find(mine), their_constant = their_constants_.find(theirs);
    bool constant = my_constant != my_constants_.end();
    if (constant != (their_constant != their_constants_.end())) return false;
    if (constant && !SameConstant(*my_constant->second, *their_constant->second)) return false;
    auto [known, fresh] = counterpart_.try_emplace(mine, theirs);
    return known->second == theirs && (constant || !fresh);
  }

  const Graph& mine_;
  const Graph& theirs_;
  ConstantMap my_constants_, their_constants_;
  std::map<ValueId, ValueId> counterpart_;
};

// The index of the first node that must stay private so that the last `private_layers` linear operators do.
size_t FirstPrivate(const Graph& graph, uint32_t private_layers) {
  uint32_t wanted = std::max<uint32_t>(private_layers, 1);
  for (size_t i = graph.nodes.size(); i-- > 0;)
    if (IsLinear(graph.nodes[i].op) && --wanted == 0) return i;
  return 0;
}

void DropUnused(Graph& graph) {
  Selection used(graph.outputs.begin(), graph.outputs.end());
  for (const Node& node : graph.nodes) used.insert(node.inputs.begin(), node.inputs.end());
  std::erase_if(graph.initializers, [&](const Initializer& initializer) { return !used.contains(initializer.value); });
}

Error NothingInCommon(const Graph& model, const Graph& public_model, size_t common, size_t last_public,
                      uint32_t private_layers) {
  auto describe = [&](const Graph& graph) {
    return common < graph.nodes.size() ? "'" + graph.nodes[common].name + "' (" + OpName(graph.nodes[common].op) + ")"
                                       : std::string("its end");
  };
  if (common > last_public) {
    auto linear = std::ranges::count_if(model.nodes, [](const Node& node) { return IsLinear(node.op); });
    return InvalidArgument("--private-layers: the model has " + std::to_string(linear) + " linear operators, of which at least " +
                           std::to_string(std::max(private_layers, 1u)) + " stay private: that leaves no public one");
  }
  return InvalidArgument("--public: the public model shares no linear operator with the model; they part at node " +
                         std::to_string(common) + ", " + describe(model) + " here and " + describe(public_model) +
                         " there; it must begin with the same operators on parameters of the same shape");
}

}  // namespace

Result<PublicPart> TakePublicPart(Graph model, const Graph& public_model, uint32_t private_layers) {
  PublicPart part;
  Matcher matcher(model, public_model);
  size_t common = matcher.CommonNodes(), last_public = FirstPrivate(model, private_layers);
  size_t count = std::min(common, last_public);
  auto end = model.nodes.begin() + static_cast<ptrdiff_t>(count);
  if (std::none_of(model.nodes.begin(), end, [](const Node& node) { return IsLinear(node.op); }))
    return NothingInCommon(model, public_model, common, last_public, private_layers);
  std::map<ValueId, ValueId> replaced;
  std::vector<Initializer> added;
  for (auto node = model.nodes.begin(); node != end; ++node) {
    for (ValueId& value : node->inputs) {
      if (value == kNoValue || !matcher.IsConstant(value)) continue;
      auto [known, fresh] = replaced.try_emplace(value, kNoValue);
      if (fresh) {
        const Initializer* theirs = matcher.PublicOf(value);
        known->second = model.AddValue("");
        added.push_back({known->second, theirs->type, theirs->data, kNoWeight});
        part.values.insert(known->second);
      }
      value = known->second;
    }
    for (ValueId value : node->outputs)
      if (value != kNoValue) part.values.insert(value);
  }
  model.initializers.insert(model.initializers.end(), added.begin(), added.end());
  DropUnused(model);
  part.graph = std::move(model);
  return part;
}

}  // namespace soter
