#include "owner/zoo/model_builder.h"

#include <cmath>

#include "owner/onnx/atomic_file.h"
#include "owner/onnx/model_writer.h"

namespace soter {
namespace {

constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
// Leaves room for the nodes beside the weights, below protobuf's limit of 2 GiB.
constexpr uint64_t kOneFileBytes = uint64_t{2'000} << 20;
constexpr size_t kChunkElements = size_t{1} << 20;

// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

void SetShape(const std::vector<ModelBuilder::ModelDim>& shape, const std::string& name,
              onnx::ValueInfoProto* value) {
  value->set_name(name);
  auto* type = value->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape();
  for (const auto& extent : shape) {
    auto* dim = type->mutable_shape()->add_dim();
    if (const auto* number = std::get_if<int64_t>(&extent)) dim->set_dim_value(*number);
    else dim->set_dim_param(std::get<std::string>(extent));
  }
}

void SetAttribute(Attribute attribute, onnx::AttributeProto* proto) {
  proto->set_name(attribute.name);
  struct Setter {
    onnx::AttributeProto* proto;
    void operator()(int64_t value) const { proto->set_type(onnx::AttributeProto::INT), proto->set_i(value); }
    void operator()(float value) const { proto->set_type(onnx::AttributeProto::FLOAT), proto->set_f(value); }
    void operator()(const std::string& value) const {
      proto->set_type(onnx::AttributeProto::STRING), proto->set_s(value);
    }
    void operator()(const std::vector<int64_t>& values) const {
      proto->set_type(onnx::AttributeProto::INTS);
      for (int64_t value : values) proto->add_ints(value);
    }
  };
  std::visit(Setter{proto}, attribute.value);
}

}  // namespace

Spread Spread::OfDeviation(double deviation) { return {0, static_cast<float>(deviation * std::sqrt(3.0))}; }
Spread Spread::He(int64_t fan_in) { return OfDeviation(std::sqrt(2.0 / static_cast<double>(fan_in))); }
Spread Spread::Xavier(int64_t fan_in, int64_t fan_out) {
  return OfDeviation(std::sqrt(2.0 / static_cast<double>(fan_in + fan_out)));
}

void FillWeights(uint64_t key, uint64_t first, Spread spread, std::span<float> out) {
  CHECK(first % 2 == 0, "weights are drawn in pairs");
  const auto draw = [spread](uint32_t bits) {
    return spread.centre + spread.half_width * (static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-31f);
  };
  for (size_t i = 0; i < out.size(); i += 2) {
    const uint64_t bits = Mix(key + (first + i) / 2 * kGoldenRatio);
    out[i] = draw(static_cast<uint32_t>(bits));
    if (i + 1 < out.size()) out[i + 1] = draw(static_cast<uint32_t>(bits >> 32));
  }
}

ModelBuilder::ModelBuilder(const std::string& name, int64_t opset, uint64_t seed) : seed_(seed) {
  model_.set_ir_version(8);
  model_.set_producer_name("soter zoo");
  model_.mutable_graph()->set_name(name);
  model_.add_opset_import()->set_version(opset);
}

std::string ModelBuilder::Input(const std::string& name, const std::vector<ModelDim>& shape) {
  SetShape(shape, name, model_.mutable_graph()->add_input());
  return name;
}

void ModelBuilder::Output(const std::string& name, const std::vector<ModelDim>& shape) {
  SetShape(shape, name, model_.mutable_graph()->add_output());
}

onnx::TensorProto* ModelBuilder::AddInitializer(const std::string& name, int32_t data_type, const Shape& shape) {
  onnx::TensorProto* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(data_type);
  for (int64_t extent : shape) tensor->add_dims(extent);
  return tensor;
}

std::string ModelBuilder::Weight(const std::string& name, const Shape& shape, Spread spread) {
  AddInitializer(name, onnx::TensorProto::FLOAT, shape);
  // Each weight has a key of its own, so that its values do not depend on the sizes of those before it.
  const uint64_t key = Mix(seed_ + (weights_.size() + 1) * kGoldenRatio);
  const uint64_t count = static_cast<uint64_t>(ElementCount(shape).value());
  weights_.push_back({model_.graph().initializer_size() - 1, count, key, spread});
  return name;
}

std::string ModelBuilder::Int64s(const std::string& name, const std::vector<int64_t>& values) {
  onnx::TensorProto* tensor = AddInitializer(name, onnx::TensorProto::INT64, {static_cast<int64_t>(values.size())});
  for (int64_t value : values) tensor->add_int64_data(value);
  return name;
}

std::string ModelBuilder::Scalar(const std::string& name, float value) {
  AddInitializer(name, onnx::TensorProto::FLOAT, {})->add_float_data(value);
  return name;
}

std::string ModelBuilder::Int64Scalar(const std::string& name, int64_t value) {
  AddInitializer(name, onnx::TensorProto::INT64, {})->add_int64_data(value);
  return name;
}

std::string ModelBuilder::Node(const std::string& op_type, const std::string& name,
                               const std::vector<std::string>& inputs, std::vector<Attribute> attributes) {
  onnx::NodeProto* node = model_.mutable_graph()->add_node();
  node->set_op_type(op_type);
  node->set_name(name);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(name + "_output");
  for (Attribute& attribute : attributes) SetAttribute(std::move(attribute), node->add_attribute());
  return node->output(0);
}

Status ModelBuilder::Write(const std::filesystem::path& path) && {
  uint64_t bytes = 0;
  for (const DrawnWeight& weight : weights_) bytes += weight.count * sizeof(float);
  return bytes <= kOneFileBytes ? WriteOneFile(path) : WriteTwoFiles(path);
}

Status ModelBuilder::WriteOneFile(const std::filesystem::path& path) {
  for (const DrawnWeight& weight : weights_) {
    std::string* raw = model_.mutable_graph()->mutable_initializer(weight.initializer)->mutable_raw_data();
    raw->resize(weight.count * sizeof(float));
    // std::string's storage comes from operator new, which aligns for any scalar.
    FillWeights(weight.key, 0, weight.spread, {reinterpret_cast<float*>(raw->data()), weight.count});
  }
  return WriteModel(model_, path);
}

Status ModelBuilder::WriteTwoFiles(const std::filesystem::path& path) {
  const std::filesystem::path data_path = path.string() + ".data";
  AtomicFile data = TRY(AtomicFile::Create(data_path));
  std::vector<float> chunk(kChunkElements);
  uint64_t offset = 0;
  for (const DrawnWeight& weight : weights_) {
    onnx::TensorProto* tensor = model_.mutable_graph()->mutable_initializer(weight.initializer);
    tensor->set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add_entry = [tensor](const std::string& key, const std::string& value) {
      auto* entry = tensor->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    add_entry("location", data_path.filename().string());
    add_entry("offset", std::to_string(offset));
    add_entry("length", std::to_string(weight.count * sizeof(float)));
    for (uint64_t done = 0; done < weight.count; done += chunk.size()) {
      const std::span<float> part = std::span(chunk).first(std::min<uint64_t>(chunk.size(), weight.count - done));
      FillWeights(weight.key, done, weight.spread, part);
      TRY(data.Write(std::as_bytes(part)));
    }
    offset += weight.count * sizeof(float);
  }
  TRY(data.Commit());
  return WriteModel(model_, path);
}

}  // namespace soter
