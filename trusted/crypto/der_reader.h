#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/reader.h"
#include "common/base/result.h"

namespace soter {

// DerReader takes DER elements (X.690) off the front of untrusted bytes, for the extensions that OpenSSL does not
// know. Tags of one byte and definite, shortest lengths only; the rest is kMalformed.
class DerReader {
 public:
  static constexpr uint8_t kInteger = 0x02, kOctetString = 0x04, kObjectIdentifier = 0x06, kEnumerated = 0x0a,
                           kIa5String = 0x16, kSequence = 0x30;

  explicit DerReader(ByteView bytes) : reader_(bytes) {}

  bool at_end() const { return reader_.remaining() == 0; }

  // Read returns the content of the next element, which must have `tag`. Errors: kMalformed.
  Result<ByteView> Read(uint8_t tag) {
    if (TRY(reader_.ReadNumber<uint8_t>()) != tag) return Malformed("a DER element of another type than expected");
    return reader_.ReadBytes(TRY(ReadLength()));
  }

  // Skip passes over the next element, whatever its type. Errors: kMalformed.
  Status Skip() {
    TRY(reader_.ReadNumber<uint8_t>());
    TRY(reader_.ReadBytes(TRY(ReadLength())));
    return {};
  }

  // ReadSmallInteger reads an INTEGER of 0 to 65535. Errors: kMalformed.
  Result<uint16_t> ReadSmallInteger() {
    ByteView content = TRY(Read(kInteger));
    if (content.size() > 1 && content[0] == std::byte{0} && (content[1] & std::byte{0x80}) == std::byte{0})
      return Malformed("a DER integer has a superfluous zero");
    if (content.empty() || content.size() > 3 || (content.size() == 3 && content[0] != std::byte{0}) ||
        (content[0] & std::byte{0x80}) != std::byte{0})
      return Malformed("a DER integer is not within 0 and 65535");
    uint32_t value = 0;
    for (std::byte b : content) value = value << 8 | std::to_integer<uint32_t>(b);
    return static_cast<uint16_t>(value);
  }

  Status ExpectEnd() const { return reader_.ExpectEnd(); }

 private:
  Result<size_t> ReadLength() {
    uint8_t first = TRY(reader_.ReadNumber<uint8_t>());
    if (first < 0x80) return size_t{first};
    size_t byte_count = first & 0x7f, length = 0;
    if (byte_count == 0 || byte_count > 4) return Malformed("a DER length is not definite and short");
    for (std::byte b : TRY(reader_.ReadBytes(byte_count))) length = length << 8 | std::to_integer<size_t>(b);
    size_t least = byte_count == 1 ? 0x80 : size_t{1} << 8 * (byte_count - 1);
    if (length < least) return Malformed("a DER length is not in its shortest form");
    return length;
  }

  Reader reader_;
};

}  // namespace soter
