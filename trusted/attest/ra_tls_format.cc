#include "trusted/attest/ra_tls_format.h"

#include "trusted/attest/cbor.h"

namespace soter {
namespace {

// 60000 is registered for SGX and TDX quotes. SNP and dev have no registered tag: these are private ones, ASCII
// "SNP1" and "DEV1", until there is.
constexpr uint64_t kQuoteTag = 60000, kSnpTag = 0x534e5031, kDevTag = 0x44455631;
constexpr size_t kTeeTypeOffset = 4;
constexpr uint64_t kMaxCertificates = 8;

std::vector<std::byte> Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// A quote says itself which TEE it is of; ParseQuote checks the rest.
PlatformKind QuoteKind(ByteView quote) {
  bool tdx = quote.size() > kTeeTypeOffset && quote[kTeeTypeOffset] == std::byte{0x81};
  return tdx ? PlatformKind::kTdx : PlatformKind::kSgx;
}

}  // namespace

std::vector<std::byte> EncodeRaTlsEvidence(const Evidence& evidence) {
  bool quote = evidence.platform == PlatformKind::kSgx || evidence.platform == PlatformKind::kTdx;
  bool with_certificates = !quote && !evidence.certificates.empty();
  CborWriter writer;
  writer.WriteTag(quote ? kQuoteTag : evidence.platform == PlatformKind::kSnp ? kSnpTag : kDevTag);
  writer.WriteArrayHead(with_certificates ? 3 : 2);
  writer.WriteBytes(evidence.report);
  writer.WriteBytes(evidence.claims);
  if (with_certificates) {
    writer.WriteArrayHead(evidence.certificates.size());
    for (const std::vector<std::byte>& der : evidence.certificates) writer.WriteBytes(der);
  }
  return std::move(writer).Take();
}

Result<Evidence> DecodeRaTlsEvidence(ByteView content) {
  CborReader reader(content);
  uint64_t tag = TRY(reader.ReadTag());
  if (tag != kQuoteTag && tag != kSnpTag && tag != kDevTag)
    return Unsupported("RA-TLS evidence of CBOR tag " + std::to_string(tag) +
                       "; accepted is 60000, and our own for SNP and dev");
  uint64_t item_count = TRY(reader.ReadArrayHead());
  if (item_count != 2 && (item_count != 3 || tag == kQuoteTag))
    return Malformed("RA-TLS evidence is not report and claims");
  Evidence evidence;
  evidence.report = Copy(TRY(reader.ReadBytes()));
  evidence.claims = Copy(TRY(reader.ReadBytes()));
  if (evidence.claims.empty()) return Malformed("RA-TLS evidence without claims");
  evidence.platform = tag == kQuoteTag ? QuoteKind(evidence.report)
                      : tag == kSnpTag ? PlatformKind::kSnp
                                       : PlatformKind::kDev;
  uint64_t certificate_count = item_count == 3 ? TRY(reader.ReadArrayHead()) : 0;
  if (certificate_count > kMaxCertificates) return Malformed("RA-TLS evidence with more than 8 certificates");
  for (uint64_t i = 0; i < certificate_count; ++i) evidence.certificates.push_back(Copy(TRY(reader.ReadBytes())));
  TRY(reader.ExpectEnd());
  return evidence;
}

}  // namespace soter
