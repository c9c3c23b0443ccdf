#include "trusted/attest/cbor.h"

namespace soter {

void CborWriter::WriteHead(uint8_t major, uint64_t argument) {
  int width_log2 = argument < 24            ? -1
                   : argument <= UINT8_MAX  ? 0
                   : argument <= UINT16_MAX ? 1
                   : argument <= UINT32_MAX ? 2
                                            : 3;
  uint8_t info = width_log2 < 0 ? static_cast<uint8_t>(argument) : static_cast<uint8_t>(24 + width_log2);
  buffer_.push_back(static_cast<std::byte>(major << 5 | info));
  if (width_log2 < 0) return;
  for (int shift = (8 << width_log2) - 8; shift >= 0; shift -= 8)
    buffer_.push_back(static_cast<std::byte>(argument >> shift));
}

Result<CborReader::Head> CborReader::ReadHead() {
  uint8_t first = TRY(reader_.ReadNumber<uint8_t>());
  uint8_t info = first & 31;
  if (info < 24) return Head{static_cast<uint8_t>(first >> 5), info};
  if (info > 27) return Malformed("CBOR of indefinite length");
  uint64_t argument = 0;
  for (std::byte b : TRY(reader_.ReadBytes(size_t{1} << (info - 24))))
    argument = argument << 8 | static_cast<uint8_t>(b);
  uint64_t least = info == 24 ? 24 : uint64_t{1} << (8 << (info - 25));
  // Simple values and floats (major 7) have fixed widths, not shortest ones.
  if (first >> 5 != 7 && argument < least) return Malformed("CBOR that is not in its shortest form");
  return Head{static_cast<uint8_t>(first >> 5), argument};
}

Result<uint64_t> CborReader::ReadArgument(uint8_t major) {
  Head head = TRY(ReadHead());
  if (head.major != major) return Malformed("CBOR of another type than expected");
  return head.argument;
}

Result<ByteView> CborReader::ReadBytes() { return reader_.ReadBytes(TRY(ReadArgument(2))); }

Result<std::string> CborReader::ReadText() {
  ByteView raw = TRY(reader_.ReadBytes(TRY(ReadArgument(3))));
  return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
}

Status CborReader::SkipNested(int depth) {
  if (depth == 0) return Malformed("CBOR nested too deep");
  Head head = TRY(ReadHead());
  uint64_t nested_count = 0;
  switch (head.major) {
    case 2:
    case 3: TRY(reader_.ReadBytes(head.argument)); break;
    case 4: nested_count = head.argument; break;
    case 5:
      if (head.argument > reader_.remaining()) return Malformed("a CBOR map exceeds the input");
      nested_count = 2 * head.argument;
      break;
    case 6: nested_count = 1; break;
    default: break;
  }
  // Each nested item takes a byte or more, so the input's size bounds this loop.
  for (uint64_t i = 0; i < nested_count; ++i) TRY(SkipNested(depth - 1));
  return {};
}

}  // namespace soter
