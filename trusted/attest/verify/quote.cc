#include "trusted/attest/verify/quote.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/base/reader.h"

namespace soter {
namespace {

constexpr size_t kHeaderBytes = 48, kSgxBodyBytes = 384, kTdx10BodyBytes = 584, kTdx15BodyBytes = 648,
                 kTdx15ExBodyBytes = 885;
constexpr uint16_t kEcdsaP256 = 2, kPckChain = 5, kQeReportData = 6;
constexpr uint32_t kTeeSgx = 0, kTeeTdx = 0x81;
constexpr size_t kMaxChainBytes = 64 * 1024;
// Intel's quoting enclaves; other vendors' identities are not pinned by Intel's collateral.
constexpr std::string_view kIntelVendorHex = "939a7233f79c4ca9940a0db3957f0607";

enum class BodyKind { kSgx, kTdx10, kTdx15, kTdx15Ex };

size_t BodyBytes(BodyKind kind) {
  switch (kind) {
    case BodyKind::kSgx: return kSgxBodyBytes;
    case BodyKind::kTdx10: return kTdx10BodyBytes;
    case BodyKind::kTdx15: return kTdx15BodyBytes;
    case BodyKind::kTdx15Ex: return kTdx15ExBodyBytes;
  }
  CHECK(false, "a quote body without a size");
}

template <size_t N>
Status ReadInto(Reader& reader, std::array<std::byte, N>& out) {
  ByteView raw = TRY(reader.ReadBytes(N));
  std::copy(raw.begin(), raw.end(), out.begin());
  return {};
}

Result<SgxReport> ParseSgxReport(ByteView bytes) {
  Reader reader(bytes);
  SgxReport report;
  TRY(ReadInto(reader, report.cpu_svn));
  report.misc_select = TRY(reader.ReadNumber<uint32_t>());
  TRY(reader.ReadBytes(28));
  TRY(ReadInto(reader, report.attributes));
  TRY(ReadInto(reader, report.mr_enclave));
  TRY(reader.ReadBytes(32));
  TRY(ReadInto(reader, report.mr_signer));
  TRY(reader.ReadBytes(96));
  report.isv_prod_id = TRY(reader.ReadNumber<uint16_t>());
  report.isv_svn = TRY(reader.ReadNumber<uint16_t>());
  TRY(reader.ReadBytes(60));
  TRY(ReadInto(reader, report.report_data));
  TRY(reader.ExpectEnd());
  return report;
}

Result<TdReport> ParseTdReport(ByteView bytes) {
  Reader reader(bytes);
  TdReport report;
  TRY(ReadInto(reader, report.tee_tcb_svn));
  TRY(ReadInto(reader, report.mr_seam));
  TRY(ReadInto(reader, report.mr_signer_seam));
  TRY(ReadInto(reader, report.seam_attributes));
  TRY(ReadInto(reader, report.td_attributes));
  TRY(ReadInto(reader, report.xfam));
  TRY(ReadInto(reader, report.mr_td));
  TRY(ReadInto(reader, report.mr_config_id));
  TRY(ReadInto(reader, report.mr_owner));
  TRY(ReadInto(reader, report.mr_owner_config));
  for (auto& rtmr : report.rtmr) TRY(ReadInto(reader, rtmr));
  TRY(ReadInto(reader, report.report_data));
  if (bytes.size() >= kTdx15BodyBytes) {
    TRY(ReadInto(reader, report.tee_tcb_svn_2));
    TRY(ReadInto(reader, report.mr_service_td));
  }
  // The extended body goes on with ids of the TD and its VM, which vouch for nothing.
  if (bytes.size() == kTdx15ExBodyBytes) TRY(reader.ReadBytes(kTdx15ExBodyBytes - kTdx15BodyBytes));
  TRY(reader.ExpectEnd());
  return report;
}

struct Header {
  uint16_t version;
  uint32_t tee;
};

// In version 3 the bytes of the TEE type are reserved, and zero.
Result<Header> ParseHeader(Reader& reader) {
  Header header = {.version = TRY(reader.ReadNumber<uint16_t>())};
  if (header.version < 3 || header.version > 5)
    return Unsupported("quote version " + std::to_string(header.version) + "; accepted are 3, 4 and 5");
  uint16_t key_type = TRY(reader.ReadNumber<uint16_t>());
  if (key_type != kEcdsaP256) return Unsupported("quote key type " + std::to_string(key_type) + "; accepted is 2");
  header.tee = TRY(reader.ReadNumber<uint32_t>());
  if (header.tee != kTeeSgx && (header.version == 3 || header.tee != kTeeTdx))
    return Unsupported("quote of TEE type " + std::to_string(header.tee) + "; accepted are 0 (SGX) and 129 (TDX)");
  TRY(reader.ReadBytes(4));  // versions of the quoting enclaves: the QE report and the PCK certificate tell
  if (EncodeHex(TRY(reader.ReadBytes(16))) != kIntelVendorHex)
    return Unsupported("the quoting enclave is not Intel's");
  TRY(reader.ReadBytes(20));  // user data: the platform's id, which nothing vouches for
  return header;
}

// Version 5 says what its body is; before, the TEE type does.
Result<BodyKind> ParseBodyKind(Reader& reader, const Header& header) {
  if (header.version < 5) return header.tee == kTeeTdx ? BodyKind::kTdx10 : BodyKind::kSgx;
  uint16_t type = TRY(reader.ReadNumber<uint16_t>());
  uint32_t size_bytes = TRY(reader.ReadNumber<uint32_t>());
  if (type < 1 || type > 4) return Unsupported("quote body type " + std::to_string(type) + "; accepted are 1 to 4");
  constexpr BodyKind kKinds[] = {BodyKind::kSgx, BodyKind::kTdx10, BodyKind::kTdx15, BodyKind::kTdx15Ex};
  BodyKind kind = kKinds[type - 1];
  if ((kind == BodyKind::kSgx) != (header.tee == kTeeSgx)) return Malformed("a quote's body is of another TEE");
  if (size_bytes != BodyBytes(kind)) return Malformed("a quote's body has the wrong size");
  return kind;
}

Status ParseQeData(Reader reader, Quote& quote) {
  ByteView qe_report = TRY(reader.ReadBytes(kSgxBodyBytes));
  quote.qe_report_bytes.assign(qe_report.begin(), qe_report.end());
  quote.qe_report = TRY(ParseSgxReport(qe_report));
  TRY(ReadInto(reader, quote.qe_signature));
  ByteView auth = TRY(reader.ReadBytes(TRY(reader.ReadNumber<uint16_t>())));
  quote.qe_authentication_data.assign(auth.begin(), auth.end());
  uint16_t type = TRY(reader.ReadNumber<uint16_t>());
  if (type != kPckChain)
    return Unsupported("certification data type " + std::to_string(type) + "; accepted is 5 (a PCK chain)");
  quote.pck_chain_pem = TRY(reader.ReadString(kMaxChainBytes));
  return reader.ExpectEnd();
}

Status ParseSignatureData(Reader reader, Quote& quote) {
  TRY(ReadInto(reader, quote.signature));
  TRY(ReadInto(reader, quote.attestation_key));
  if (quote.version == 3) return ParseQeData(reader, quote);
  uint16_t type = TRY(reader.ReadNumber<uint16_t>());
  if (type != kQeReportData)
    return Unsupported("certification data type " + std::to_string(type) + "; accepted is 6 (a QE report)");
  ByteView nested = TRY(reader.ReadBytes(TRY(reader.ReadNumber<uint32_t>())));
  TRY(reader.ExpectEnd());
  return ParseQeData(Reader(nested), quote);
}

}  // namespace

Result<Quote> ParseQuote(ByteView bytes) {
  Reader reader(bytes);
  Quote quote;
  Header header = TRY(ParseHeader(reader));
  CHECK(bytes.size() - reader.remaining() == kHeaderBytes, "the quote header's fields do not add up");
  quote.version = header.version;
  BodyKind kind = TRY(ParseBodyKind(reader, header));
  ByteView body = TRY(reader.ReadBytes(BodyBytes(kind)));
  if (kind == BodyKind::kSgx) {
    quote.body = TRY(ParseSgxReport(body));
  } else {
    quote.body = TRY(ParseTdReport(body));
  }
  quote.signed_bytes.assign(bytes.begin(), bytes.end() - reader.remaining());
  ByteView signature_data = TRY(reader.ReadBytes(TRY(reader.ReadNumber<uint32_t>())));
  TRY(ParseSignatureData(Reader(signature_data), quote));
  ByteView rest = TRY(reader.ReadBytes(reader.remaining()));
  if (std::any_of(rest.begin(), rest.end(), [](std::byte b) { return b != std::byte{0}; }))
    return Malformed("bytes other than zero follow the quote");
  return quote;
}

}  // namespace soter
