#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/base/private_memory.h"
#include "common/base/result.h"

namespace soter {

// DType is an element type. The numbers are those of the canonical encoding and of the wire.
enum class DType : uint8_t {
  kFloat32 = 1, kFloat64 = 2, kFloat16 = 3, kInt8 = 4, kUint8 = 5, kInt32 = 6, kInt64 = 7, kBool = 8,
};
inline constexpr size_t kMaxDTypeBytes = 8;

// DTypeFromNumber returns the type with that number. Errors: kMalformed.
Result<DType> DTypeFromNumber(uint8_t number);
size_t DTypeBytes(DType dtype);
const char* DTypeName(DType dtype);  // "float32", as NumPy spells it

template <typename T> struct DTypeOfElement;
#define SOTER_ELEMENT(T, D) \
  template <> struct DTypeOfElement<T> { static constexpr DType value = DType::D; };
SOTER_ELEMENT(float, kFloat32)
SOTER_ELEMENT(double, kFloat64)
SOTER_ELEMENT(int8_t, kInt8)
SOTER_ELEMENT(uint8_t, kUint8)
SOTER_ELEMENT(int32_t, kInt32)
SOTER_ELEMENT(int64_t, kInt64)
SOTER_ELEMENT(bool, kBool)
#undef SOTER_ELEMENT

// Shape is the extent of each axis, outermost first; empty for a scalar.
using Shape = std::vector<int64_t>;
inline constexpr size_t kMaxRank = 8;

// ElementCount multiplies the extents. Errors: kMalformed (negative extent, rank over kMaxRank, or more
// than 2^48 elements, which no machine holds).
Result<int64_t> ElementCount(const Shape& shape);
std::string ShapeString(const Shape& shape);  // "[1, 3, 224, 224]"

// TensorType is what is known of a tensor before it has data.
struct TensorType {
  DType dtype = DType::kFloat32;
  Shape shape;
  bool operator==(const TensorType&) const = default;
};

// SizeBytes is the dense size of a tensor. Errors: as ElementCount.
Result<size_t> SizeBytes(const TensorType& type);
std::string TypeString(const TensorType& type);  // "float32[1, 3, 224, 224]"

// TensorView refers to a dense row-major tensor that somebody else owns.
struct TensorView {
  TensorType type;
  std::span<const std::byte> bytes;

  template <typename T>
  std::span<const T> As() const {
    CHECK(DTypeOfElement<T>::value == type.dtype, "wrong element type");
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

class Buffer;

// TryBuffer is Buffer for sizes that input decides. Errors: kExhausted.
Result<Buffer> TryBuffer(size_t size_bytes);

// Buffer owns `size_bytes` bytes aligned to a cache line, locked where this process locks its secrets
// (common/base/private_memory.h).
class Buffer {
  friend Result<Buffer> TryBuffer(size_t size_bytes);

 public:
  Buffer() = default;
  explicit Buffer(size_t size_bytes);  // contents undefined; aborts when memory is exhausted

  std::span<std::byte> bytes() { return memory_.bytes(); }
  std::span<const std::byte> bytes() const { return memory_.bytes(); }
  size_t size() const { return memory_.bytes().size(); }

 private:
  PrivateMemory memory_;
};

// Tensor owns a dense row-major tensor.
class Tensor {
 public:
  Tensor() = default;

  // Allocate makes a tensor of undefined contents. Errors: as ElementCount; kExhausted.
  static Result<Tensor> Allocate(TensorType type);

  template <typename T>
  static Tensor FromValues(Shape shape, std::span<const T> values) {
    Tensor tensor = Allocate({DTypeOfElement<T>::value, std::move(shape)}).value();
    CHECK(tensor.MutableAs<T>().size() == values.size(), "value count differs from the shape");
    std::copy(values.begin(), values.end(), tensor.MutableAs<T>().begin());
    return tensor;
  }
  template <typename T>
  static Tensor FromValues(Shape shape, std::initializer_list<T> values) {
    return FromValues<T>(std::move(shape), std::span<const T>(values.begin(), values.size()));
  }

  const TensorType& type() const { return type_; }
  const Shape& shape() const { return type_.shape; }
  DType dtype() const { return type_.dtype; }
  std::span<const std::byte> bytes() const { return buffer_.bytes(); }
  std::span<std::byte> mutable_bytes() { return buffer_.bytes(); }
  TensorView view() const { return {type_, buffer_.bytes()}; }
  Tensor Clone() const;

  template <typename T>
  std::span<const T> As() const { return view().As<T>(); }
  template <typename T>
  std::span<T> MutableAs() {
    CHECK(DTypeOfElement<T>::value == type_.dtype, "wrong element type");
    return {reinterpret_cast<T*>(buffer_.bytes().data()), buffer_.size() / sizeof(T)};
  }

 private:
  TensorType type_;
  Buffer buffer_;
};

// Layout is how a tensor lies in memory when it crosses an edge between two programs. Every layout
// holds the same float32 elements; kNChw16c pads the channels to a multiple of 16 with zeros.
enum class Layout : uint8_t { kDense = 0, kNhwc = 1, kNChw16c = 2 };
const char* LayoutName(Layout layout);
Result<Layout> LayoutFromNumber(uint8_t number);

// LaidOutBytes is the size of `type` in `layout`; blocked layouts are for rank 4 float32 only.
// Errors: as ElementCount; kMalformed (a layout that the type cannot have).
Result<size_t> LaidOutBytes(const TensorType& type, Layout layout);

}  // namespace soter
