#include "trusted/attest/verify/evidence_file.h"

#include "common/base/base64.h"
#include "common/base/reader.h"
#include "trusted/jose/json.h"

namespace soter {
namespace {

constexpr std::string_view kPemStart = "-----BEGIN ", kDevMagic = "soter-dev-report";
constexpr std::byte kDerSequence{0x30};
constexpr size_t kMaxCertificates = 8;

std::vector<std::byte> Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

Result<std::vector<std::byte>> GetBase64(const Json& value, const char* key) {
  if (!value.is_string()) return Malformed(std::string("the evidence bundle's \"") + key + "\" is not base64 text");
  return DecodeBase64(value.get<std::string>(), Base64::kPadded);
}

Result<Evidence> ParseBundle(std::string_view text) {
  Json json = TRY(ParseJson(text));
  if (!json.is_object() || json.size() != 5)
    return Malformed("the evidence bundle is not a JSON object of five members");
  for (const char* key : {"format", "platform", "report", "certificates", "claims"})
    if (!json.contains(key)) return Malformed(std::string("the evidence bundle has no \"") + key + "\"");
  if (json["format"] != "soter-evidence-1") return Malformed("the evidence bundle is not of format soter-evidence-1");
  if (!json["platform"].is_string()) return Malformed("the evidence bundle's \"platform\" is not text");
  if (!json["certificates"].is_array() || json["certificates"].size() > kMaxCertificates)
    return Malformed("the evidence bundle's \"certificates\" is not an array of at most 8");
  Evidence evidence;
  evidence.platform = TRY(PlatformFromName(json["platform"].get<std::string>()));
  evidence.report = TRY(GetBase64(json["report"], "report"));
  for (const Json& der : json["certificates"]) evidence.certificates.push_back(TRY(GetBase64(der, "certificates")));
  evidence.claims = TRY(GetBase64(json["claims"], "claims"));
  return evidence;
}

Result<EvidenceFile> ParseRaw(ByteView file) {
  Evidence evidence = {.report = Copy(file)};
  if (AsText(file).starts_with(kDevMagic)) {
    evidence.platform = PlatformKind::kDev;
    return EvidenceFile(std::move(evidence));
  }
  Reader reader(file);
  uint16_t version = TRY(reader.ReadNumber<uint16_t>());
  uint16_t key_type = TRY(reader.ReadNumber<uint16_t>());  // the upper half of an SNP report's version: 0
  if (file.size() == kSnpReportBytes && key_type == 0) {
    evidence.platform = PlatformKind::kSnp;
  } else if (version >= 3 && version <= 5 && key_type != 0) {
    evidence.platform = TRY(reader.ReadNumber<uint32_t>()) == 0 ? PlatformKind::kSgx : PlatformKind::kTdx;
  } else {
    return Malformed("not a JSON bundle, an SNP report, a DCAP quote, a dev report or a certificate");
  }
  return EvidenceFile(std::move(evidence));
}

Status AddPem(std::string_view text, Collateral& collateral) {
  for (const PemBlock& block : TRY(ReadPem(text))) {
    if (block.label == "CERTIFICATE") {
      collateral.certificates.push_back(TRY(Certificate::FromDer(block.der)));
    } else if (block.label == "X509 CRL") {
      collateral.revocation_lists.push_back(TRY(RevocationList::FromDer(block.der)));
    } else {
      return Malformed("a PEM block is a " + block.label + "; accepted are CERTIFICATE and X509 CRL");
    }
  }
  return {};
}

}  // namespace

Result<EvidenceFile> ParseEvidenceFile(ByteView file) {
  std::string_view text = AsText(file);
  if (text.starts_with('{')) return EvidenceFile(TRY(ParseBundle(text)));
  if (text.starts_with(kPemStart)) {
    std::vector<PemBlock> blocks = TRY(ReadPem(text));
    if (blocks.size() != 1 || blocks[0].label != "CERTIFICATE")
      return Malformed("the PEM file is not one certificate");
    return EvidenceFile(TRY(Certificate::FromDer(blocks[0].der)));
  }
  // The tag of a SEQUENCE is also the digit 0, with which hexadecimal text begins.
  if (!file.empty() && file[0] == kDerSequence)
    if (Result<Certificate> certificate = Certificate::FromDer(file); certificate.ok())
      return EvidenceFile(std::move(certificate).value());
  return ParseRaw(file);
}

Status AddCollateral(ByteView file, Collateral& collateral) {
  std::string_view text = AsText(file);
  if (text.starts_with('{')) {
    if (TRY(TakeIntelStatement(text, collateral.intel_statements))) return {};
    if (collateral.intel) return Malformed("Intel's collateral was given twice");
    collateral.intel = TRY(ParseIntelCollateral(text));
    return {};
  }
  if (text.find(kPemStart) != std::string_view::npos) return AddPem(text, collateral);  // which refuses text before it
  if (Result<Certificate> certificate = Certificate::FromDer(file); certificate.ok()) {
    collateral.certificates.push_back(std::move(certificate).value());
    return {};
  }
  Result<RevocationList> list = RevocationList::FromDer(file);
  if (!list.ok()) return Malformed("neither JSON, PEM, a DER certificate nor a DER revocation list");
  collateral.revocation_lists.push_back(std::move(list).value());
  return {};
}

Verdict VerifyFile(const EvidenceFile& file, const VerifyInputs& inputs) {
  if (const Certificate* certificate = std::get_if<Certificate>(&file)) return VerifyRaTls(*certificate, inputs);
  return VerifyEvidence(std::get<Evidence>(file), inputs);
}

}  // namespace soter
