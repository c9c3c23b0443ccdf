#include "trusted/attest/verify/snp_report.h"

#include <algorithm>

#include "common/base/reader.h"

namespace soter {
namespace {

constexpr size_t kSignedBytes = 0x2a0, kScalarFieldBytes = 72, kScalarBytes = 48;
constexpr uint32_t kEcdsaP384Sha384 = 1;

template <size_t N>
Status ReadInto(Reader& reader, std::array<std::byte, N>& out) {
  ByteView raw = TRY(reader.ReadBytes(N));
  std::copy(raw.begin(), raw.end(), out.begin());
  return {};
}

bool AllZero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

Result<SnpReport::SigningKey> ParseSigningKey(uint32_t key_info) {
  switch (key_info >> 2 & 7) {
    case 0: return SnpReport::SigningKey::kVcek;
    case 1: return SnpReport::SigningKey::kVlek;
    case 7: return Unsupported("the SNP report is not signed: its host withheld the signing key");
    default: return Unsupported("the SNP report is signed with an unknown kind of key");
  }
}

Status ParseIdentity(Reader& reader, SnpReport& report) {
  report.version = TRY(reader.ReadNumber<uint32_t>());
  if (report.version < 2 || report.version > 5)
    return Unsupported("SNP report version " + std::to_string(report.version) + "; accepted are 2 to 5");
  report.guest_svn = TRY(reader.ReadNumber<uint32_t>());
  report.policy = TRY(reader.ReadNumber<uint64_t>());
  TRY(reader.ReadBytes(32));  // family and image id: the guest owner's free text
  report.vmpl = TRY(reader.ReadNumber<uint32_t>());
  uint32_t algorithm = TRY(reader.ReadNumber<uint32_t>());
  if (algorithm != kEcdsaP384Sha384)
    return Unsupported("SNP signature algorithm " + std::to_string(algorithm) + "; accepted is 1 (ECDSA P-384)");
  report.current_tcb = TRY(reader.ReadNumber<uint64_t>());
  report.platform_info = TRY(reader.ReadNumber<uint64_t>());
  report.signing_key = TRY(ParseSigningKey(TRY(reader.ReadNumber<uint32_t>())));
  TRY(reader.ReadBytes(4));
  return {};
}

Status ParseBody(Reader& reader, SnpReport& report) {
  TRY(ReadInto(reader, report.report_data));
  TRY(ReadInto(reader, report.measurement));
  TRY(ReadInto(reader, report.host_data));
  TRY(ReadInto(reader, report.id_key_digest));
  TRY(reader.ReadBytes(48 + 32 + 32));  // author key digest, report id, migration agent's report id
  report.reported_tcb = TRY(reader.ReadNumber<uint64_t>());
  uint8_t family = TRY(reader.ReadNumber<uint8_t>());
  uint8_t model = TRY(reader.ReadNumber<uint8_t>());
  if (report.version >= 3) report.cpu_family = family, report.cpu_model = model;
  TRY(reader.ReadBytes(22));
  TRY(ReadInto(reader, report.chip_id));
  report.committed_tcb = TRY(reader.ReadNumber<uint64_t>());
  TRY(reader.ReadBytes(8));  // firmware build numbers: shown by the TCB above
  report.launch_tcb = TRY(reader.ReadNumber<uint64_t>());
  TRY(reader.ReadBytes(kSignedBytes - 0x1f8));  // mitigation vectors (version 5), then reserved
  return {};
}

// The report holds r and s little-endian in 72 bytes each.
Status ParseScalar(Reader& reader, std::span<std::byte> out) {
  ByteView field = TRY(reader.ReadBytes(kScalarFieldBytes));
  if (!AllZero(field.subspan(kScalarBytes))) return Malformed("an SNP signature value exceeds its curve");
  std::reverse_copy(field.begin(), field.begin() + kScalarBytes, out.begin());
  return {};
}

}  // namespace

const char* SnpLineName(SnpLine line) {
  switch (line) {
    case SnpLine::kMilan: return "Milan";
    case SnpLine::kGenoa: return "Genoa";
    case SnpLine::kTurin: return "Turin";
  }
  CHECK(false, "a product line without a name");
}

bool SnpTcb::AtLeast(const SnpTcb& floor) const {
  return fmc >= floor.fmc && bootloader >= floor.bootloader && tee >= floor.tee && snp >= floor.snp &&
         microcode >= floor.microcode;
}

std::string SnpTcb::ToText() const {
  return "bootloader " + std::to_string(bootloader) + ", tee " + std::to_string(tee) + ", snp " +
         std::to_string(snp) + ", microcode " + std::to_string(microcode) + ", fmc " + std::to_string(fmc);
}

SnpTcb DecodeSnpTcb(uint64_t raw, SnpLine line) {
  auto at = [raw](int index) { return static_cast<uint8_t>(raw >> 8 * index); };
  if (line == SnpLine::kTurin)
    return {.fmc = at(0), .bootloader = at(1), .tee = at(2), .snp = at(3), .microcode = at(7)};
  return {.bootloader = at(0), .tee = at(1), .snp = at(6), .microcode = at(7)};
}

Result<SnpReport> ParseSnpReport(ByteView bytes) {
  if (bytes.size() != kSnpReportBytes)
    return Malformed("an SNP report is " + std::to_string(kSnpReportBytes) + " bytes, not " +
                     std::to_string(bytes.size()));
  Reader reader(bytes);
  SnpReport report;
  TRY(ParseIdentity(reader, report));
  TRY(ParseBody(reader, report));
  CHECK(bytes.size() - reader.remaining() == kSignedBytes, "the SNP report's fields do not add up");
  report.signed_bytes.assign(bytes.begin(), bytes.begin() + kSignedBytes);
  TRY(ParseScalar(reader, std::span(report.signature).first(kScalarBytes)));
  TRY(ParseScalar(reader, std::span(report.signature).last(kScalarBytes)));
  if (!AllZero(TRY(reader.ReadBytes(reader.remaining())))) return Malformed("an SNP report's tail is not zero");
  return report;
}

}  // namespace soter
