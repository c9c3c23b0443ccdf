#pragma once

#include <concepts>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/tensor/tensor.h"

// The bytes of a message follow from its Fields() alone (docs/spec/wire.md, 2): FieldEncoder and FieldDecoder walk
// the same list, so they cannot disagree. A value has exactly one encoding, and the decoder takes no other.
namespace soter {

inline constexpr size_t kMaxMessageString = 64 << 10;

template <typename T>
concept Enumerated = std::is_enum_v<T>;

// LastOf is the highest value of an enumeration that crosses a wire.
template <Enumerated E>
constexpr E LastOf() {
  if constexpr (std::same_as<E, DType>) return DType::kBool;
  else if constexpr (std::same_as<E, Layout>) return Layout::kNChw16c;
  else if constexpr (std::same_as<E, ErrorCode>) return ErrorCode::kUnavailable;
  else return E::kLast;
}
// FirstOf is the lowest: 0, but for data types.
template <Enumerated E>
constexpr E FirstOf() {
  if constexpr (std::same_as<E, DType>) return DType::kFloat32;
  else return E{};
}

// FieldEncoder appends fields to a Writer.
class FieldEncoder {
 public:
  void operator()(const char*, const auto& value) { Put(value); }
  std::vector<std::byte> Take() && { return std::move(writer_).Take(); }

 private:
  template <typename T>
    requires std::is_arithmetic_v<T>
  void Put(T value) {
    if constexpr (std::same_as<T, bool>) writer_.WriteNumber<uint8_t>(value ? 1 : 0);
    else writer_.WriteNumber(value);
  }
  template <Enumerated E>
  void Put(E value) { writer_.WriteNumber(static_cast<std::underlying_type_t<E>>(value)); }
  void Put(const std::string& text) { writer_.WriteString(text); }
  void Put(const std::vector<std::byte>& bytes) {
    writer_.WriteCount(bytes.size());
    writer_.WriteBytes(bytes);
  }
  template <typename T>
  void Put(const std::vector<T>& items) {
    writer_.WriteCount(items.size());
    for (const T& item : items) Put(item);
  }
  template <typename T>
  void Put(const std::optional<T>& value) {
    Put(value.has_value());
    if (value) Put(*value);
  }
  void Put(const TensorType& type) {
    Put(type.dtype);
    writer_.WriteNumber(static_cast<uint8_t>(type.shape.size()));
    for (int64_t extent : type.shape) Put(extent);
  }
  void Put(const Tensor& tensor) {
    Put(tensor.type());
    writer_.WriteBytes(tensor.bytes());
  }
  template <typename T>
    requires requires(const T& t, FieldEncoder& f) { T::Fields(t, f); }
  void Put(const T& message) { T::Fields(message, *this); }

  Writer writer_;
};

// FieldDecoder takes fields off a Reader; the first that does not fit ends it.
class FieldDecoder {
 public:
  explicit FieldDecoder(std::span<const std::byte> bytes) : reader_(bytes) {}

  void operator()(const char* name, auto& value) {
    if (!status_.ok()) return;
    status_ = Get(value);
    if (!status_.ok()) status_ = Annotate(status_.error(), name);
  }

  // Finish returns the first failure, or that bytes are left over. Errors: kMalformed, kExhausted.
  Status Finish() {
    TRY(std::move(status_));
    return reader_.ExpectEnd();
  }

 private:
  template <typename T>
    requires std::is_arithmetic_v<T>
  Status Get(T& value) {
    if constexpr (std::same_as<T, bool>) {
      uint8_t number = TRY(reader_.ReadNumber<uint8_t>());
      if (number > 1) return Malformed("a truth value is neither 0 nor 1");
      value = number == 1;
    } else {
      value = TRY(reader_.ReadNumber<T>());
    }
    return {};
  }
  template <Enumerated E>
  Status Get(E& value) {
    using Number = std::underlying_type_t<E>;
    Number number = TRY(reader_.ReadNumber<Number>());
    if (number < static_cast<Number>(FirstOf<E>()) || number > static_cast<Number>(LastOf<E>())) {
      return Malformed("no value has number " + std::to_string(number));
    }
    value = static_cast<E>(number);
    return {};
  }
  Status Get(std::string& text) {
    text = TRY(reader_.ReadString(kMaxMessageString));
    return {};
  }
  Status Get(std::vector<std::byte>& bytes) {
    uint32_t count = TRY(reader_.ReadCount(1));
    std::span<const std::byte> raw = TRY(reader_.ReadBytes(count));
    bytes.assign(raw.begin(), raw.end());
    return {};
  }
  template <typename T>
  Status Get(std::vector<T>& items) {
    uint32_t count = TRY(reader_.ReadCount(1));
    items.clear();
    for (uint32_t i = 0; i < count; ++i) {  // grows only as elements are read: a lying count allocates nothing
      T item{};
      TRY(Get(item));
      items.push_back(std::move(item));
    }
    return {};
  }
  template <typename T>
  Status Get(std::optional<T>& value) {
    bool present = false;
    TRY(Get(present));
    value.reset();
    if (present) TRY(Get(value.emplace()));
    return {};
  }
  Status Get(TensorType& type) {
    TRY(Get(type.dtype));
    uint8_t rank = TRY(reader_.ReadNumber<uint8_t>());
    if (rank > kMaxRank) return Malformed("a shape of rank " + std::to_string(rank));
    type.shape.assign(rank, 0);
    for (int64_t& extent : type.shape) TRY(Get(extent));
    TRY(SizeBytes(type));
    return {};
  }
  Status Get(Tensor& tensor) {
    TensorType type;
    TRY(Get(type));
    std::span<const std::byte> raw = TRY(reader_.ReadBytes(TRY(SizeBytes(type))));
    tensor = TRY(Tensor::Allocate(std::move(type)));
    if (!raw.empty()) std::memcpy(tensor.mutable_bytes().data(), raw.data(), raw.size());
    return {};
  }
  template <typename T>
    requires requires(T& t, FieldDecoder& f) { T::Fields(t, f); }
  Status Get(T& message) {
    T::Fields(message, *this);
    return status_;
  }

  Reader reader_;
  Status status_;
};

// EncodeFields and DecodeFields turn one message with Fields() into its bytes and back.
// Errors of DecodeFields: kMalformed (cut short, out of range, trailing bytes), kExhausted.
template <typename Message>
std::vector<std::byte> EncodeFields(const Message& message) {
  FieldEncoder encoder;
  Message::Fields(message, encoder);
  return std::move(encoder).Take();
}

template <typename Message>
Result<Message> DecodeFields(std::span<const std::byte> bytes) {
  Message message{};
  FieldDecoder decoder(bytes);
  Message::Fields(message, decoder);
  TRY(decoder.Finish());
  return message;
}

}  // namespace soter
