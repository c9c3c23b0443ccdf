#include "common/tensor/tensor.h"

#include <cstdlib>
#include <cstring>

namespace soter {

namespace {
constexpr int64_t kMaxElements = int64_t{1} << 48;
}

Result<DType> DTypeFromNumber(uint8_t number) {
  if (number < 1 || number > 8) return Malformed("no data type has number " + std::to_string(number));
  return static_cast<DType>(number);
}

size_t DTypeBytes(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: case DType::kInt32: return 4;
    case DType::kFloat64: case DType::kInt64: return 8;
    case DType::kFloat16: return 2;
    case DType::kInt8: case DType::kUint8: case DType::kBool: return 1;
  }
  CHECK(false, "unknown data type");
}

const char* DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return "float32";
    case DType::kFloat64: return "float64";
    case DType::kFloat16: return "float16";
    case DType::kInt8: return "int8";
    case DType::kUint8: return "uint8";
    case DType::kInt32: return "int32";
    case DType::kInt64: return "int64";
    case DType::kBool: return "bool";
  }
  return "unknown";
}

Result<int64_t> ElementCount(const Shape& shape) {
  if (shape.size() > kMaxRank) return Malformed("rank " + std::to_string(shape.size()) + " exceeds " + std::to_string(kMaxRank));
  int64_t count = 1;
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent < 0) return Malformed("negative extent in shape " + ShapeString(shape));
    if (extent == 0) { empty = true; continue; }  // the other extents must still be sane
    if (extent > kMaxElements || count > kMaxElements / extent) return Malformed("shape " + ShapeString(shape) + " is too large");
    count *= extent;
  }
  return empty ? 0 : count;
}

std::string ShapeString(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Result<size_t> SizeBytes(const TensorType& type) {
  return static_cast<size_t>(TRY(ElementCount(type.shape))) * DTypeBytes(type.dtype);
}

std::string TypeString(const TensorType& type) { return DTypeName(type.dtype) + ShapeString(type.shape); }

Buffer::Buffer(size_t size_bytes) { *this = TryBuffer(size_bytes).value(); }

Result<Buffer> TryBuffer(size_t size_bytes) {
  Buffer buffer;
  buffer.memory_ = TRY(PrivateMemory::Allocate(size_bytes));
  return buffer;
}

Result<Tensor> Tensor::Allocate(TensorType type) {
  Tensor tensor;
  tensor.buffer_ = TRY(TryBuffer(TRY(SizeBytes(type))));
  tensor.type_ = std::move(type);
  return tensor;
}

Tensor Tensor::Clone() const {
  Tensor copy = Allocate(type_).value();
  if (!bytes().empty()) std::memcpy(copy.mutable_bytes().data(), bytes().data(), bytes().size());
  return copy;
}

const char* LayoutName(Layout layout) {
  switch (layout) {
    case Layout::kDense: return "dense";
    case Layout::kNhwc: return "nhwc";
    case Layout::kNChw16c: return "nChw16c";
  }
  return "unknown";
}

Result<Layout> LayoutFromNumber(uint8_t number) {
  if (number > 2) return Malformed("no layout has number " + std::to_string(number));
  return static_cast<Layout>(number);
}

Result<size_t> LaidOutBytes(const TensorType& type, Layout layout) {
  if (layout == Layout::kDense) return SizeBytes(type);
  if (type.dtype != DType::kFloat32 || type.shape.size() != 4)
    return Malformed(TypeString(type) + " cannot lie as " + LayoutName(layout));
  TensorType padded = type;
  if (layout == Layout::kNChw16c) {
    if (type.shape[1] > kMaxElements) return Malformed("shape " + ShapeString(type.shape) + " is too large");
    padded.shape[1] = (type.shape[1] + 15) / 16 * 16;
  }
  return SizeBytes(padded);
}

}  // namespace soter
