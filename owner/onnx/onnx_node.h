#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "owner/onnx/source_node.h"

namespace soter {

// OnnxNode gives typed access to a node's attributes. Every read is noted: an attribute that no converter asked
// for would change the node's meaning unseen, so CheckAllRead refuses it.
class OnnxNode {
 public:
  explicit OnnxNode(SourceNode* source) : source_(source) {}

  const std::string& op_type() const { return source_->proto.op_type(); }
  std::string domain() const { return NormalDomain(source_->proto.domain()); }
  int64_t opset() const { return source_->opset; }
  std::string label() const { return NodeLabel(source_->proto); }
  // name is the ONNX name, or that of the first output where there is none.
  std::string name() const;

  size_t input_count() const { return static_cast<size_t>(source_->proto.input_size()); }
  size_t output_count() const { return static_cast<size_t>(source_->proto.output_size()); }
  // input and output return "" for an operand that is absent.
  std::string input(size_t i) const { return i < input_count() ? source_->proto.input(static_cast<int>(i)) : ""; }
  std::string output(size_t i) const { return i < output_count() ? source_->proto.output(static_cast<int>(i)) : ""; }

  bool Has(const std::string& attribute) const;
  // Each returns the attribute or its default. Errors: kMalformed (an attribute of another type).
  Result<int64_t> Int(const std::string& attribute, int64_t default_value) const;
  Result<bool> Flag(const std::string& attribute, bool default_value) const;
  Result<float> Float(const std::string& attribute, float default_value) const;
  Result<std::string> String(const std::string& attribute, const std::string& default_value) const;
  Result<std::vector<int64_t>> Ints(const std::string& attribute) const;    // empty when absent
  Result<std::vector<float>> Floats(const std::string& attribute) const;    // empty when absent
  Result<std::vector<std::string>> Strings(const std::string& attribute) const;  // empty when absent
  Result<onnx::TensorProto*> Tensor(const std::string& attribute) const;    // null when absent

  // Ignore marks attributes that do not change what inference computes.
  void Ignore(std::initializer_list<const char*> attributes) const;

  // Errors: kUnsupported, naming the first attribute that nobody read.
  Status CheckAllRead() const;

 private:
  Result<onnx::AttributeProto*> Find(const std::string& attribute, onnx::AttributeProto::AttributeType type) const;

  SourceNode* source_;
  mutable std::set<std::string> read_;
};

}  // namespace soter
