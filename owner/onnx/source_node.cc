#include "owner/onnx/source_node.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>

namespace soter {
namespace {

// Reads off one node that stands on a cycle, for the message: walk back along unfinished producers.
size_t FindOnCycle(const std::vector<SourceNode>& nodes, const std::vector<bool>& done,
                   const std::unordered_map<std::string, size_t>& producer) {
  size_t at = std::find(done.begin(), done.end(), false) - done.begin();
  std::vector<bool> seen(nodes.size());
  while (!seen[at]) {
    seen[at] = true;
    for (const std::string& input : nodes[at].proto.input()) {
      const auto found = producer.find(input);
      if (found == producer.end() || done[found->second]) continue;
      at = found->second;
      break;
    }
  }
  return at;
}

Result<std::unordered_map<std::string, size_t>> MapProducers(const std::vector<SourceNode>& nodes,
                                                             const std::unordered_set<std::string>& known) {
  std::unordered_map<std::string, size_t> producer;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].proto.output()) {
      if (output.empty()) continue;
      if (known.contains(output) || !producer.emplace(output, i).second) {
        return Malformed(NodeLabel(nodes[i].proto) + " defines the value '" + output + "', which already exists");
      }
    }
  }
  return producer;
}

}  // namespace

std::string NodeLabel(const onnx::NodeProto& node) {
  if (!node.name().empty()) return "node '" + node.name() + "' (" + node.op_type() + ")";
  const std::string output = node.output_size() > 0 ? node.output(0) : "";
  return "the node of '" + output + "' (" + node.op_type() + ")";
}

Result<std::vector<SourceNode>> SortNodes(std::vector<SourceNode> nodes, const std::vector<std::string>& known) {
  const std::unordered_set<std::string> exists(known.begin(), known.end());
  const auto producer = TRY(MapProducers(nodes, exists));

  std::vector<std::vector<size_t>> users(nodes.size());
  std::vector<size_t> waits_for(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& input : nodes[i].proto.input()) {
      if (input.empty() || exists.contains(input)) continue;
      const auto found = producer.find(input);
      if (found == producer.end()) {
        return Malformed(NodeLabel(nodes[i].proto) + " reads '" + input +
                         "', which no input, initializer or node defines");
      }
      users[found->second].push_back(i);
      ++waits_for[i];
    }
  }

  // The smallest index first keeps the file's order wherever it is a right one.
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waits_for[i] == 0) ready.push(i);
  }
  std::vector<size_t> order;
  std::vector<bool> done(nodes.size());
  while (!ready.empty()) {
    const size_t i = ready.top();
    ready.pop();
    order.push_back(i);
    done[i] = true;
    for (size_t user : users[i]) {
      if (--waits_for[user] == 0) ready.push(user);
    }
  }
  if (order.size() != nodes.size()) {
    return Malformed(NodeLabel(nodes[FindOnCycle(nodes, done, producer)].proto) +
                     " is on a cycle: it needs its own result");
  }
  std::vector<SourceNode> sorted;
  sorted.reserve(nodes.size());
  for (size_t i : order) sorted.push_back(std::move(nodes[i]));
  return sorted;
}

}  // namespace soter
