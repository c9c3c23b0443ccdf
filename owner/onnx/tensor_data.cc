#include "owner/onnx/tensor_data.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "common/base/checked.h"

namespace soter {
namespace {

using onnx::TensorProto;

// How one ONNX element type arrives: bytes per element in raw_data, and the type it becomes.
struct ElementType {
  int32_t data_type;
  const char* name;
  size_t stored_bytes;
  std::optional<DType> imported;
};

constexpr ElementType kElementTypes[] = {
    {TensorProto::FLOAT, "FLOAT", 4, DType::kFloat32},
    {TensorProto::UINT8, "UINT8", 1, DType::kUint8},
    {TensorProto::INT8, "INT8", 1, DType::kInt8},
    {TensorProto::UINT16, "UINT16", 2, std::nullopt},
    {TensorProto::INT16, "INT16", 2, std::nullopt},
    {TensorProto::INT32, "INT32", 4, DType::kInt32},
    {TensorProto::INT64, "INT64", 8, DType::kInt64},
    {TensorProto::STRING, "STRING", 0, std::nullopt},
    {TensorProto::BOOL, "BOOL", 1, DType::kBool},
    {TensorProto::FLOAT16, "FLOAT16", 2, DType::kFloat32},
    {TensorProto::DOUBLE, "DOUBLE", 8, DType::kFloat32},
    {TensorProto::UINT32, "UINT32", 4, std::nullopt},
    {TensorProto::UINT64, "UINT64", 8, std::nullopt},
    {TensorProto::COMPLEX64, "COMPLEX64", 8, std::nullopt},
    {TensorProto::COMPLEX128, "COMPLEX128", 16, std::nullopt},
    {TensorProto::BFLOAT16, "BFLOAT16", 2, DType::kFloat32},
};

const ElementType* FindElementType(int32_t data_type) {
  for (const ElementType& type : kElementTypes) {
    if (type.data_type == data_type) return &type;
  }
  return nullptr;
}

// Float16ToFloat widens an IEEE half; every half is a float, so nothing is rounded.
float Float16ToFloat(uint16_t bits) {
  const uint32_t exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  float magnitude;
  if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    const uint32_t wide = exponent == 31 ? 0xff : exponent + 112;
    magnitude = std::bit_cast<float>(wide << 23 | fraction << 13);
  }
  return bits & 0x8000 ? -magnitude : magnitude;
}

float Bfloat16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

template <typename From, typename Convert>
void ConvertElements(std::span<const std::byte> in, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    From element;
    std::memcpy(&element, in.data() + i * sizeof(From), sizeof(From));
    out[i] = convert(element);
  }
}

void ToFloat(int32_t data_type, std::span<const std::byte> in, std::span<float> out) {
  switch (data_type) {
    case TensorProto::FLOAT16: return ConvertElements<uint16_t>(in, out, Float16ToFloat);
    case TensorProto::BFLOAT16: return ConvertElements<uint16_t>(in, out, Bfloat16ToFloat);
    case TensorProto::DOUBLE:
      return ConvertElements<double>(in, out, [](double x) { return static_cast<float>(x); });
    default: CHECK(false, "not a converted type");
  }
}

Result<Tensor> FromBytes(int32_t data_type, TensorType type, const ByteSource& source, ByteRange range) {
  const bool converted = WasConverted(data_type);
  Tensor tensor = TRY(Tensor::Allocate(std::move(type)));
  if (!converted) {
    TRY(source.Read(range.offset, tensor.mutable_bytes()));
    return tensor;
  }
  const size_t stored = FindElementType(data_type)->stored_bytes;
  std::vector<std::byte> chunk(size_t{64} << 10);
  std::span<float> out = tensor.MutableAs<float>();
  for (uint64_t done = 0; done < range.length;) {
    const size_t length = std::min<uint64_t>(chunk.size(), range.length - done);
    TRY(source.Read(range.offset + done, std::span(chunk).first(length)));
    ToFloat(data_type, chunk, out.subspan(done / stored, length / stored));
    done += length;
  }
  return tensor;
}

template <typename To, typename Field>
Result<Tensor> FromField(TensorType type, const Field& field, auto convert) {
  const int64_t count = TRY(ElementCount(type.shape));
  if (count != field.size()) {
    return Malformed("has " + std::to_string(field.size()) + " values where its shape " + ShapeString(type.shape) +
                     " needs " + std::to_string(count));
  }
  Tensor tensor = TRY(Tensor::Allocate(std::move(type)));
  std::span<To> out = tensor.MutableAs<To>();
  for (int i = 0; i < field.size(); ++i) out[i] = convert(field.Get(i));
  return tensor;
}

template <typename To>
Result<Tensor> FromField(TensorType type, const auto& field) {
  return FromField<To>(std::move(type), field, [](auto value) { return static_cast<To>(value); });
}

// FromTypedFields reads the fields that hold one number each, which small tensors use.
Result<Tensor> FromTypedFields(const TensorProto& proto, TensorType type) {
  switch (proto.data_type()) {
    case TensorProto::FLOAT: return FromField<float>(std::move(type), proto.float_data());
    case TensorProto::DOUBLE: return FromField<float>(std::move(type), proto.double_data());
    case TensorProto::INT64: return FromField<int64_t>(std::move(type), proto.int64_data());
    case TensorProto::INT32: return FromField<int32_t>(std::move(type), proto.int32_data());
    case TensorProto::INT8: return FromField<int8_t>(std::move(type), proto.int32_data());
    case TensorProto::UINT8: return FromField<uint8_t>(std::move(type), proto.int32_data());
    case TensorProto::BOOL: return FromField<bool>(std::move(type), proto.int32_data());
    case TensorProto::FLOAT16:
      return FromField<float>(std::move(type), proto.int32_data(),
                              [](int32_t bits) { return Float16ToFloat(static_cast<uint16_t>(bits)); });
    case TensorProto::BFLOAT16:
      return FromField<float>(std::move(type), proto.int32_data(),
                              [](int32_t bits) { return Bfloat16ToFloat(static_cast<uint16_t>(bits)); });
    default: CHECK(false, "type was checked before");
  }
}

// Bools may be stored as any byte; ours are 0 or 1, and anything else in a bool is undefined behaviour.
void NormaliseBools(Tensor* tensor) {
  if (tensor->dtype() != DType::kBool) return;
  for (std::byte& value : tensor->mutable_bytes()) value = value == std::byte{0} ? std::byte{0} : std::byte{1};
}

}  // namespace

std::string DataTypeName(int32_t data_type) {
  const ElementType* type = FindElementType(data_type);
  return type != nullptr ? type->name : "number " + std::to_string(data_type);
}

bool WasConverted(int32_t data_type) {
  return data_type == TensorProto::FLOAT16 || data_type == TensorProto::BFLOAT16 || data_type == TensorProto::DOUBLE;
}

Result<DType> ImportedDType(int32_t data_type) {
  const ElementType* type = FindElementType(data_type);
  if (type == nullptr || !type->imported.has_value()) {
    return Unsupported("element type " + DataTypeName(data_type) +
                       "; supported are FLOAT, FLOAT16, BFLOAT16, DOUBLE, INT8, UINT8, INT32, INT64 and BOOL");
  }
  return *type->imported;
}

Result<Tensor> TensorReader::Read(TensorProto* proto, std::optional<ByteRange> raw_data) {
  if (proto->has_segment()) return Unsupported("a tensor in segments");
  TensorType type{TRY(ImportedDType(proto->data_type())), {proto->dims().begin(), proto->dims().end()}};
  const uint64_t count = static_cast<uint64_t>(TRY(ElementCount(type.shape)));
  const uint64_t stored_bytes = count * FindElementType(proto->data_type())->stored_bytes;
  if (proto->data_location() == TensorProto::EXTERNAL) {
    const ExternalData::Location location = TRY(external_->Locate(*proto, stored_bytes));
    return ReadBytes(*proto, std::move(type), *location.source, location.range);
  }
  if (raw_data.has_value()) return ReadBytes(*proto, std::move(type), model_, *raw_data);
  if (proto->has_raw_data()) {
    const std::string raw = std::move(*proto->mutable_raw_data());
    const MemorySource source(std::as_bytes(std::span(raw)));
    return ReadBytes(*proto, std::move(type), source, {0, raw.size()});
  }
  Tensor tensor = TRY(FromTypedFields(*proto, std::move(type)));
  proto->Clear();
  return tensor;
}

Result<Tensor> TensorReader::ReadBytes(const TensorProto& proto, TensorType type, const ByteSource& source,
                                       ByteRange range) {
  const uint64_t count = static_cast<uint64_t>(TRY(ElementCount(type.shape)));
  const uint64_t needed = count * FindElementType(proto.data_type())->stored_bytes;
  if (needed != range.length) {
    return Malformed("has " + std::to_string(range.length) + " bytes of data where its shape " +
                     ShapeString(type.shape) + " needs " + std::to_string(needed));
  }
  Tensor tensor = TRY(FromBytes(proto.data_type(), std::move(type), source, range));
  NormaliseBools(&tensor);
  return tensor;
}

}  // namespace soter
