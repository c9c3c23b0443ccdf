#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/reader.h"
#include "common/base/result.h"

namespace soter {

// CborWriter appends the few CBOR items (RFC 8949) that RA-TLS needs, in shortest form.
class CborWriter {
 public:
  void WriteUnsigned(uint64_t value) { WriteHead(0, value); }
  void WriteBytes(ByteView bytes) { WriteHead(2, bytes.size()), Append(bytes); }
  void WriteText(std::string_view text) { WriteHead(3, text.size()), Append(AsBytes(text)); }
  void WriteArrayHead(uint64_t item_count) { WriteHead(4, item_count); }
  void WriteMapHead(uint64_t pair_count) { WriteHead(5, pair_count); }
  void WriteTag(uint64_t tag) { WriteHead(6, tag); }
  std::vector<std::byte> Take() && { return std::move(buffer_); }

 private:
  void WriteHead(uint8_t major, uint64_t argument);
  void Append(ByteView bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte> buffer_;
};

// CborReader takes items off the front of untrusted CBOR. Every length is definite and every head is in its
// shortest form; anything else is kMalformed, as is an item of another type than the one asked for.
class CborReader {
 public:
  explicit CborReader(ByteView bytes) : reader_(bytes) {}

  size_t remaining() const { return reader_.remaining(); }
  Result<uint64_t> ReadUnsigned() { return ReadArgument(0); }
  Result<ByteView> ReadBytes();
  Result<std::string> ReadText();
  Result<uint64_t> ReadArrayHead() { return ReadArgument(4); }
  Result<uint64_t> ReadMapHead() { return ReadArgument(5); }
  Result<uint64_t> ReadTag() { return ReadArgument(6); }

  // Skip passes over one item of any type, nested at most 8 deep.
  Status Skip() { return SkipNested(8); }
  Status ExpectEnd() const { return reader_.ExpectEnd(); }

 private:
  struct Head {
    uint8_t major;
    uint64_t argument;
  };
  Result<Head> ReadHead();
  Result<uint64_t> ReadArgument(uint8_t major);
  Status SkipNested(int depth);

  Reader reader_;
};

}  // namespace soter
