#include "broker/evidence_json.h"

namespace soter {
namespace {

constexpr size_t kMaxCertificates = 8, kMaxCertificateBytes = 16 * 1024;

Result<std::vector<std::byte>> DecodeCertificate(const Json& entry) {
  TRY(ExpectMembers(entry, {"cert_type", "data"}));
  const Json* data = TRY(JsonMember(entry, "data"));
  if (!data->is_array() || data->size() > kMaxCertificateBytes) return Malformed("\"data\" is not a certificate's bytes");
  std::vector<std::byte> der;
  for (const Json& value : *data) {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > UINT8_MAX)
      return Malformed("\"data\" is not an array of bytes");
    der.push_back(static_cast<std::byte>(value.get<uint8_t>()));
  }
  return der;
}

Result<Evidence> DecodeSnp(const Json& evidence) {
  TRY(ExpectMembers(evidence, {"attestation_report", "cert_chain"}));
  Evidence decoded = {.platform = PlatformKind::kSnp};
  decoded.report = TRY(DecodeSnpReportJson(*TRY(JsonMember(evidence, "attestation_report"))));
  if (!evidence.contains("cert_chain") || evidence["cert_chain"].is_null()) return decoded;
  const Json& chain = evidence["cert_chain"];
  if (!chain.is_array() || chain.size() > kMaxCertificates)
    return Malformed("\"cert_chain\" is not an array of at most 8 certificates");
  for (const Json& entry : chain) decoded.certificates.push_back(TRY(DecodeCertificate(entry)));
  return decoded;
}

}  // namespace

Result<Evidence> DecodeTeeEvidence(PlatformKind tee, const Json& evidence) {
  Evidence decoded = {.platform = tee};
  switch (tee) {
    case PlatformKind::kSgx:
      TRY(ExpectMembers(evidence, {"quote"}));
      decoded.report = TRY(JsonBytes(evidence, "quote", Base64::kPadded));
      return decoded;
    case PlatformKind::kTdx:
      TRY(ExpectMembers(evidence, {"quote", "cc_eventlog"}));
      decoded.report = TRY(JsonBytes(evidence, "quote", Base64::kPadded));
      return decoded;
    case PlatformKind::kDev:
      TRY(ExpectMembers(evidence, {"report"}));
      decoded.report = TRY(JsonBytes(evidence, "report", Base64::kPadded));
      return decoded;
    case PlatformKind::kSnp: return DecodeSnp(evidence);
  }
  CHECK(false, "a platform without evidence");
}

}  // namespace soter
