#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "owner/onnx/proto.h"

namespace soter {

// SourceNode is one ONNX node outside any function, with the version of its domain's operators that it means.
struct SourceNode {
  onnx::NodeProto proto;
  int64_t opset = 0;
};

inline constexpr int64_t kFirstOpset = 6, kLastOpset = 21;
inline constexpr size_t kMaxNodes = 1'000'000;

// NormalDomain returns the domain's one name: ONNX's own is "" or "ai.onnx".
inline std::string NormalDomain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

// TakeNodes takes the nodes out of `model`, with the bodies of model-local functions in place of their calls.
// Errors: kMalformed (functions that call themselves, references to attributes that do not exist),
// kUnsupported (an operator set out of range), kExhausted (more than kMaxNodes).
Result<std::vector<SourceNode>> TakeNodes(onnx::ModelProto* model);

// SortNodes puts the nodes in an order in which each value is made before it is used; `known` are the values that
// exist without a node. An order that is already right is kept. Errors: kMalformed (a cycle, a value that nothing
// defines or that is defined twice: names the node).
Result<std::vector<SourceNode>> SortNodes(std::vector<SourceNode> nodes, const std::vector<std::string>& known);

// NodeLabel names a node in messages: "node 'conv1' (Conv)".
std::string NodeLabel(const onnx::NodeProto& node);

}  // namespace soter
