#include "owner/onnx/onnx_node.h"

namespace soter {

using onnx::AttributeProto;

std::string OnnxNode::name() const {
  return source_->proto.name().empty() ? output(0) : source_->proto.name();
}

bool OnnxNode::Has(const std::string& attribute) const {
  for (const auto& candidate : source_->proto.attribute()) {
    if (candidate.name() == attribute) return true;
  }
  return false;
}

Result<AttributeProto*> OnnxNode::Find(const std::string& attribute, AttributeProto::AttributeType type) const {
  read_.insert(attribute);
  for (auto& candidate : *source_->proto.mutable_attribute()) {
    if (candidate.name() != attribute) continue;
    // Files of IR version 1 leave the type out; then the field that is filled tells.
    if (candidate.type() != type && candidate.type() != AttributeProto::UNDEFINED) {
      return Malformed("attribute '" + attribute + "' is of type " +
                       AttributeProto::AttributeType_Name(candidate.type()) + ", expected " +
                       AttributeProto::AttributeType_Name(type));
    }
    return &candidate;
  }
  return nullptr;
}

Result<int64_t> OnnxNode::Int(const std::string& attribute, int64_t default_value) const {
  const AttributeProto* found = TRY(Find(attribute, AttributeProto::INT));
  return found != nullptr ? found->i() : default_value;
}

Result<bool> OnnxNode::Flag(const std::string& attribute, bool default_value) const {
  return TRY(Int(attribute, default_value ? 1 : 0)) != 0;
}

Result<float> OnnxNode::Float(const std::string& attribute, float default_value) const {
  const AttributeProto* found = TRY(Find(attribute, AttributeProto::FLOAT));
  return found != nullptr ? found->f() : default_value;
}

Result<std::string> OnnxNode::String(const std::string& attribute, const std::string& default_value) const {
  const AttributeProto* found = TRY(Find(attribute, AttributeProto::STRING));
  return found != nullptr ? found->s() : default_value;
}

Result<std::vector<int64_t>> OnnxNode::Ints(const std::string& attribute) const {
  const AttributeProto* found = TRY(Find(attribute, AttributeProto::INTS));
  if (found == nullptr) return std::vector<int64_t>();
  return std::vector<int64_t>(found->ints().begin(), found->ints().end());
}

Result<std::vector<float>> OnnxNode::Floats(const std::string& attribute) const {
  const AttributeProto* found = TRY(Find(attribute, AttributeProto::FLOATS));
  if (found == nullptr) return std::vector<float>();
  return std::vector<float>(found->floats().begin(), found->floats().end());
}

Result<std::vector<std::string>> OnnxNode::Strings(const std::string& attribute) const {
  const AttributeProto* found = TRY(Find(attribute, AttributeProto::STRINGS));
  if (found == nullptr) return std::vector<std::string>();
  return std::vector<std::string>(found->strings().begin(), found->strings().end());
}

Result<onnx::TensorProto*> OnnxNode::Tensor(const std::string& attribute) const {
  AttributeProto* found = TRY(Find(attribute, AttributeProto::TENSOR));
  return found != nullptr ? found->mutable_t() : nullptr;
}

void OnnxNode::Ignore(std::initializer_list<const char*> attributes) const {
  read_.insert(attributes.begin(), attributes.end());
}

Status OnnxNode::CheckAllRead() const {
  for (const auto& attribute : source_->proto.attribute()) {
    if (!read_.contains(attribute.name())) return Unsupported("attribute '" + attribute.name() + "' is not known");
  }
  return {};
}

}  // namespace soter
