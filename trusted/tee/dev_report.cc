#include "trusted/tee/dev_report.h"

#include <algorithm>
#include <string_view>

#include "common/base/reader.h"
#include "common/base/writer.h"

namespace soter {
namespace {

constexpr std::string_view kMagic = "soter-dev-report";

template <size_t N>
Status ReadInto(Reader& reader, std::array<std::byte, N>& out) {
  ByteView raw = TRY(reader.ReadBytes(N));
  std::copy(raw.begin(), raw.end(), out.begin());
  return {};
}

}  // namespace

std::vector<std::byte> DevSignedBytes(const DevReport& report) {
  Writer writer;
  writer.WriteBytes(AsBytes(kMagic));
  writer.WriteNumber<uint32_t>(1);
  writer.WriteBytes(report.measurement);
  writer.WriteBytes(report.report_data);
  writer.WriteBytes(report.public_key);
  return std::move(writer).Take();
}

std::vector<std::byte> EncodeDevReport(const DevReport& report) {
  std::vector<std::byte> bytes = DevSignedBytes(report);
  bytes.insert(bytes.end(), report.signature.begin(), report.signature.end());
  return bytes;
}

Result<DevReport> DecodeDevReport(ByteView bytes) {
  Reader reader(bytes);
  ByteView magic = TRY(reader.ReadBytes(kMagic.size()));
  ByteView wanted = AsBytes(kMagic);
  if (!std::equal(magic.begin(), magic.end(), wanted.begin(), wanted.end())) return Malformed("not a dev report");
  if (TRY(reader.ReadNumber<uint32_t>()) != 1) return Malformed("a dev report of another version than 1");
  DevReport report;
  TRY(ReadInto(reader, report.measurement));
  TRY(ReadInto(reader, report.report_data));
  TRY(ReadInto(reader, report.public_key));
  TRY(ReadInto(reader, report.signature));
  TRY(reader.ExpectEnd());
  return report;
}

}  // namespace soter
