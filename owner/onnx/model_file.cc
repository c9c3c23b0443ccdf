#include "owner/onnx/model_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <array>
#include <climits>
#include <cstring>

namespace soter {
namespace {

// Smaller fields stay in the message: a read of their own would cost more than the copy.
constexpr uint64_t kLargeField = 4096;

// Numbers from onnx.proto, which never change.
constexpr uint32_t kModelGraph = 7, kGraphInitializer = 5, kTensorRawData = 9;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

// One field of a message: [begin, payload.offset) holds its tag and, if delimited, its length.
struct Field {
  uint32_t number = 0;
  WireType type = kVarint;
  uint64_t begin = 0;
  ByteRange payload;
  uint64_t end() const { return payload.offset + payload.length; }
};

// FieldScanner walks over the fields of one message in the protobuf wire format.
class FieldScanner {
 public:
  FieldScanner(const ByteSource& source, ByteRange message)
      : source_(source), offset_(message.offset), end_(message.offset + message.length) {}

  bool done() const { return offset_ == end_; }

  Result<Field> Next() {
    Field field;
    field.begin = offset_;
    const uint64_t tag = TRY(ReadVarint());
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return Malformed("not an ONNX model");
    field.number = static_cast<uint32_t>(tag >> 3);
    field.type = static_cast<WireType>(tag & 7);
    switch (field.type) {
      case kVarint:
        field.payload.offset = offset_;
        (void)TRY(ReadVarint());
        field.payload.length = offset_ - field.payload.offset;
        return field;
      case kFixed64: field.payload.length = 8; break;
      case kFixed32: field.payload.length = 4; break;
      case kLengthDelimited: field.payload.length = TRY(ReadVarint()); break;
      default: return Malformed("not an ONNX model");
    }
    field.payload.offset = offset_;
    if (field.payload.length > end_ - offset_) {
      return Malformed("truncated, or not an ONNX model: the field at byte " + std::to_string(field.begin) +
                       " needs " + std::to_string(field.payload.length) + " bytes, there are " +
                       std::to_string(end_ - offset_));
    }
    offset_ += field.payload.length;
    return field;
  }

 private:
  Result<uint64_t> ReadVarint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint64_t byte = TRY(ReadByte());
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return Malformed("not an ONNX model");
  }

  Result<uint8_t> ReadByte() {
    if (offset_ >= end_) return Malformed("truncated, or not an ONNX model: it ends at byte " + std::to_string(end_));
    if (offset_ < window_.offset || offset_ >= window_.offset + window_.length) {
      window_ = {offset_, std::min<uint64_t>(buffer_.size(), end_ - offset_)};
      TRY(source_.Read(offset_, std::span(buffer_).first(window_.length)));
    }
    return static_cast<uint8_t>(buffer_[offset_++ - window_.offset]);
  }

  const ByteSource& source_;
  uint64_t offset_, end_;
  std::array<std::byte, 256> buffer_;  // small: most reads jump over a payload
  ByteRange window_;
};

// SkeletonReader copies a model without the large raw_data fields of its initializers, and notes where they lie.
class SkeletonReader {
 public:
  explicit SkeletonReader(const ByteSource& source) : source_(source) {}

  Result<std::string> ReadModel() {
    std::string out;
    FieldScanner scanner(source_, {0, source_.size()});
    while (!scanner.done()) {
      const Field field = TRY(scanner.Next());
      if (field.number == kModelGraph && field.type == kLengthDelimited) {
        AppendDelimited(kModelGraph, TRY(ReadGraph(field.payload)), &out);
      } else {
        TRY(Copy(field, &out));
      }
    }
    return out;
  }

  std::vector<std::optional<ByteRange>> TakeRawData() { return std::move(raw_data_); }

 private:
  Result<std::string> ReadGraph(ByteRange graph) {
    std::string out;
    FieldScanner scanner(source_, graph);
    while (!scanner.done()) {
      const Field field = TRY(scanner.Next());
      if (field.number == kGraphInitializer && field.type == kLengthDelimited) {
        AppendDelimited(kGraphInitializer, TRY(ReadInitializer(field.payload)), &out);
      } else {
        TRY(Copy(field, &out));
      }
    }
    return out;
  }

  Result<std::string> ReadInitializer(ByteRange tensor) {
    std::string out;
    std::optional<ByteRange> raw_data;
    FieldScanner scanner(source_, tensor);
    while (!scanner.done()) {
      const Field field = TRY(scanner.Next());
      if (field.number == kTensorRawData && field.type == kLengthDelimited && field.payload.length >= kLargeField) {
        raw_data = field.payload;  // of several, the last one counts, as in protobuf
      } else {
        TRY(Copy(field, &out));
      }
    }
    raw_data_.push_back(raw_data);
    return out;
  }

  Status Copy(const Field& field, std::string* out) {
    const uint64_t length = field.end() - field.begin;
    if (length > INT_MAX - out->size()) {
      return Unsupported("more than 2 GiB beside the raw data of initializers; keep large tensors as external data");
    }
    const size_t start = out->size();
    out->resize(start + length);
    return source_.Read(field.begin, std::as_writable_bytes(std::span(*out).subspan(start)));
  }

  static void AppendDelimited(uint32_t number, const std::string& payload, std::string* out) {
    AppendVarint(number << 3 | kLengthDelimited, out);
    AppendVarint(payload.size(), out);
    out->append(payload);
  }

  static void AppendVarint(uint64_t value, std::string* out) {
    for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
    out->push_back(static_cast<char>(value));
  }

  const ByteSource& source_;
  std::vector<std::optional<ByteRange>> raw_data_;
};

}  // namespace

Result<ModelFile> ReadModelFile(const ByteSource& source) {
  namespace io = google::protobuf::io;
  SkeletonReader reader(source);
  const std::string skeleton = TRY(reader.ReadModel());
  if (skeleton.size() > INT_MAX) return Unsupported("more than 2 GiB beside the raw data of initializers");
  ModelFile file;
  io::ArrayInputStream stream(skeleton.data(), static_cast<int>(skeleton.size()));
  io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT_MAX);
  if (!file.model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    return Malformed("not an ONNX model: its protobuf encoding is damaged");
  }
  if (!file.model.has_graph()) return Malformed("not an ONNX model: it holds no graph");
  file.raw_data = reader.TakeRawData();
  if (file.raw_data.size() != static_cast<size_t>(file.model.graph().initializer_size())) {
    return Malformed("not an ONNX model: its initializers are damaged");
  }
  return file;
}

}  // namespace soter
