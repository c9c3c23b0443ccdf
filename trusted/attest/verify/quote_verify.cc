#include "common/base/hex.h"
#include "trusted/attest/verify/context.h"
#include "trusted/attest/verify/intel_tcb.h"
#include "trusted/attest/verify/quote.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/crypto/ecdsa.h"

namespace soter::internal {
namespace {

constexpr const char kSgxOid[] = "1.2.840.113741.1.13.1";
constexpr const char kFreshCollateral[] =
    "collateral fetched from Intel's PCS or a cache, current at the verification time";

// A chain is trusted when it holds, ends in Intel's pinned root and starts with a certificate of the wanted name:
// every SGX machine has a key that chains to the root, so the name decides what a key may sign.
Status CheckIntelChain(std::span<const Certificate> chain, size_t length, std::string_view leaf_name,
                       const TrustAnchors& anchors) {
  if (chain.size() != length)
    return AuthError("the chain has " + std::to_string(chain.size()) + " certificates instead of " +
                     std::to_string(length));
  TRY(CheckPath(chain));
  if (chain.back().PublicKeyDigest() != anchors.intel)
    return AuthError("the chain does not end in Intel's pinned root");
  if (chain.front().subject_name() != leaf_name)
    return AuthError("the certificate is \"" + chain.front().subject_name() + "\" instead of \"" +
                     std::string(leaf_name) + "\"");
  return {};
}

// The PCK chain of the quote, and what its leaf says of the platform.
struct Pck {
  std::vector<Certificate> chain;  // PCK certificate, its CA, the root
  PckPlatform platform;
};

Result<Pck> ReadPck(const Quote& quote, const TrustAnchors& anchors) {
  Pck pck = {.chain = TRY(ParsePemCertificates(quote.pck_chain_pem))};
  TRY(CheckIntelChain(pck.chain, 3, "Intel SGX PCK Certificate", anchors));
  std::optional<std::vector<std::byte>> extension = TRY(pck.chain[0].Extension(kSgxOid));
  if (!extension) return AuthError("the PCK certificate does not describe its platform");
  pck.platform = TRY(ParsePckPlatform(*extension));
  return pck;
}

void CheckQuoteSignatures(const Quote& quote, const Pck* pck, VerifyContext& context) {
  const char remedy[] = "the quote as the quoting enclave made it";
  context.checks.Decide(
      "quote.signature",
      VerifyEcdsa(EcdsaKind::kP256Sha256, quote.attestation_key, quote.signed_bytes, quote.signature),
      "header and body are signed by the attestation key", remedy);
  std::vector<std::byte> bound(quote.attestation_key.begin(), quote.attestation_key.end());
  bound.insert(bound.end(), quote.qe_authentication_data.begin(), quote.qe_authentication_data.end());
  std::array<std::byte, 64> expected = ReportDataOf(bound);
  bool named = quote.qe_report.report_data == expected;
  context.checks.Decide("quote.attestation_key", named,
                        named ? "the quoting enclave's report names the attestation key"
                              : "the quoting enclave's report names another attestation key",
                        remedy);
  if (pck == nullptr) return;
  context.checks.Decide(
      "quote.qe_signature",
      CheckSignature(EcdsaKind::kP256Sha256, pck->chain[0], quote.qe_report_bytes, quote.qe_signature),
      "the quoting enclave's report is signed by the platform's PCK key", remedy);
  context.checks.Decide(
      "quote.qe_debug", !quote.qe_report.debug(),
      quote.qe_report.debug() ? "the quoting enclave is in debug mode" : "the quoting enclave is not in debug mode",
      "a quote from a production quoting enclave");
}

Status CheckSignedJson(std::span<const Certificate> chain, const std::string& json, ByteView signature,
                       const IntelCollateral& collateral, const TrustAnchors& anchors) {
  TRY(CheckIntelChain(chain, 2, kTcbSigningName, anchors));
  if (collateral.root_crl.Revokes(chain[0])) return AuthError("Intel's TCB signing certificate is revoked");
  return CheckSignature(EcdsaKind::kP256Sha256, chain[0], AsBytes(json), signature);
}

void CheckRevocation(const IntelCollateral& collateral, const Pck& pck, VerifyContext& context) {
  auto lists_hold = [&]() -> Status {
    const Certificate& ca = pck.chain[1];
    const Certificate& root = pck.chain[2];
    if (!collateral.root_crl.IsIssuedBy(root)) return AuthError("the root's revocation list is another issuer's");
    TRY(collateral.root_crl.CheckSignature(root));
    TRY(ListIsCurrent(collateral.root_crl, context.inputs.time_s));
    TRY(CheckIntelChain(collateral.pck_crl_issuer_chain, 2, ca.subject_name(), context.inputs.anchors));
    if (!collateral.pck_crl.IsIssuedBy(ca)) return AuthError("the PCK revocation list is another CA's");
    TRY(collateral.pck_crl.CheckSignature(collateral.pck_crl_issuer_chain[0]));
    TRY(ListIsCurrent(collateral.pck_crl, context.inputs.time_s));
    if (collateral.root_crl.Revokes(collateral.pck_crl_issuer_chain[0]))
      return AuthError("the issuer of the PCK revocation list is revoked");
    if (collateral.root_crl.Revokes(ca)) return AuthError("the CA of the PCK certificate is revoked");
    if (collateral.pck_crl.Revokes(pck.chain[0])) return AuthError("the PCK certificate is revoked");
    return {};
  };
  context.checks.Decide("pck.revocation", lists_hold(), "no certificate of the chain is on Intel's lists",
                        kFreshCollateral);
}

Status DatesHold(int64_t issue_date, int64_t next_update, int64_t time_s) {
  if (time_s < issue_date)
    return AuthError("issued " + FormatTimestamp(issue_date) + ", after the verification time");
  if (time_s > next_update) return AuthError("expired " + FormatTimestamp(next_update));
  return {};
}

// TCB info and QE identity, once their signatures hold.
struct Statements {
  TcbInfo tcb_info;
  QeIdentity qe_identity;
};

std::optional<Statements> CheckStatements(const IntelCollateral& collateral, VerifyContext& context) {
  const TrustAnchors& anchors = context.inputs.anchors;
  int64_t time_s = context.inputs.time_s;
  auto read_tcb_info = [&]() -> Result<TcbInfo> {
    TRY(CheckSignedJson(collateral.tcb_info_issuer_chain, collateral.tcb_info, collateral.tcb_info_signature,
                        collateral, anchors));
    return ParseTcbInfo(collateral.tcb_info);
  };
  auto read_identity = [&]() -> Result<QeIdentity> {
    TRY(CheckSignedJson(collateral.qe_identity_issuer_chain, collateral.qe_identity, collateral.qe_identity_signature,
                        collateral, anchors));
    return ParseQeIdentity(collateral.qe_identity);
  };
  Result<TcbInfo> info = read_tcb_info();
  Result<QeIdentity> identity = read_identity();
  CheckList& checks = context.checks;
  bool held = checks.Decide("tcb_info.signature", info, "signed by Intel", kFreshCollateral);
  held &= checks.Decide("qe_identity.signature", identity, "signed by Intel", kFreshCollateral);
  CheckCertificateDates("tcb_info.certificate_dates", collateral.tcb_info_issuer_chain, context);
  CheckCertificateDates("qe_identity.certificate_dates", collateral.qe_identity_issuer_chain, context);
  if (!held) return std::nullopt;
  checks.Decide("tcb_info.dates", DatesHold(info->issue_date, info->next_update, time_s),
                "valid until " + FormatTimestamp(info->next_update), kFreshCollateral);
  checks.Decide("qe_identity.dates", DatesHold(identity->issue_date, identity->next_update, time_s),
                "valid until " + FormatTimestamp(identity->next_update), kFreshCollateral);
  int64_t floor = context.inputs.policy.intel.min_tcb_evaluation_data_number;
  int64_t number = std::min(info->evaluation_data_number, identity->evaluation_data_number);
  checks.Decide("tcb_info.evaluation_data_number", number >= floor,
                "Intel's evaluation data number is " + std::to_string(number),
                "collateral of number " + std::to_string(floor) + " or later");
  return Statements{std::move(info).value(), std::move(identity).value()};
}

// Determines the platform's standing; adds a check for each part that has one.
std::optional<TcbStanding> CheckStanding(const Quote& quote, const Pck& pck, const Statements& statements,
                                         VerifyContext& context) {
  CheckList& checks = context.checks;
  const char remedy[] = "collateral for this platform and kind of TEE";
  const TcbInfo& info = statements.tcb_info;
  auto kind = [](bool is_tdx) { return std::string(is_tdx ? "TDX" : "SGX"); };
  bool kinds =
      checks.Decide("tcb_info.kind", info.is_tdx == quote.is_tdx() && statements.qe_identity.is_tdx == quote.is_tdx(),
                    "the quote is of " + kind(quote.is_tdx()) + ", the TCB info is for " + kind(info.is_tdx) +
                        ", the QE identity for " + kind(statements.qe_identity.is_tdx),
                    remedy);
  bool platform_matches =
      checks.Decide("tcb_info.fmspc", info.fmspc == pck.platform.fmspc && info.pce_id == pck.platform.pce_id,
                    "the platform is FMSPC " + pck.platform.fmspc + ", the collateral is for " + info.fmspc, remedy);
  if (!kinds || !platform_matches) return std::nullopt;
  const TdReport* td = std::get_if<TdReport>(&quote.body);
  Result<TcbStanding> qe = MatchQuotingEnclave(statements.qe_identity, quote.qe_report);
  bool held = checks.Decide("qe_identity.match", qe, "the quoting enclave is Intel's",
                            "a quote from Intel's quoting enclave");
  Result<TcbStanding> module = td ? MatchTdxModule(info, *td) : TcbStanding{};
  if (td) held &= checks.Decide("tdx.module", module, "the TDX module is Intel's", "a TDX module that Intel lists");
  Result<TcbStanding> platform = MatchPlatform(info, pck.platform, td);
  held &= checks.Decide("tcb_info.level", platform, "the platform reaches a level that Intel lists",
                        "newer firmware and microcode");
  if (!held) return std::nullopt;
  return Merge(Merge(std::move(platform).value(), *qe), *module);
}

bool StatusAllowed(TcbStatus status, const IntelPolicy& policy) {
  switch (status) {
    case TcbStatus::kUpToDate: return true;
    case TcbStatus::kSwHardeningNeeded: return policy.allow_sw_hardening_needed;
    case TcbStatus::kConfigurationNeeded: return policy.allow_hw_config_needed;
    case TcbStatus::kConfigurationAndSwHardeningNeeded:
      return policy.allow_hw_config_needed && policy.allow_sw_hardening_needed;
    case TcbStatus::kOutOfDate: return policy.allow_outdated_tcb_insecure;
    case TcbStatus::kOutOfDateConfigurationNeeded:
      return policy.allow_outdated_tcb_insecure && policy.allow_hw_config_needed;
    case TcbStatus::kRevoked: return false;
  }
  CHECK(false, "a TCB status without a rule");
}

void JudgeStanding(const TcbStanding& standing, VerifyContext& context) {
  const IntelPolicy& policy = context.inputs.policy.intel;
  context.claims.tcb_status = TcbStatusName(standing.status);
  context.claims.advisories = standing.advisories;
  context.checks.Decide("tcb.status", StatusAllowed(standing.status, policy), context.claims.tcb_status,
                        "an updated platform, or allow_sw_hardening_needed, allow_hw_config_needed or "
                        "allow_outdated_tcb_insecure as the status says; nothing allows Revoked");
  std::string refused;
  for (const std::string& advisory : standing.advisories)
    if (!Contains(policy.allowed_advisories, advisory)) refused += (refused.empty() ? "" : ", ") + advisory;
  context.checks.Decide("tcb.advisories", refused.empty(),
                        refused.empty() ? "none that the policy does not allow" : refused,
                        "a platform without them, or each of them in allowed_advisories");
}

// The collateral as it was packed, or what the service's answers and the certificates and lists beside them make up.
std::optional<IntelCollateral> FindCollateral(const Quote& quote, const Pck& pck, VerifyContext& context) {
  const Collateral& given = context.inputs.collateral;
  const char name[] = "collateral";
  if (given.intel) return given.intel;
  if (given.intel_statements.empty()) {
    const char why[] = "no collateral was given: revocation and TCB status are unknown";
    if (context.inputs.policy.intel.allow_missing_collateral_insecure) {
      context.checks.Skip(name, why, kFreshCollateral);
    } else {
      context.checks.Fail(name, why,
                          "Intel's collateral for FMSPC " + pck.platform.fmspc +
                              ", given with the evidence; or allow_missing_collateral_insecure = true");
    }
    return std::nullopt;
  }
  Result<IntelCollateral> gathered = GatherIntelCollateral(given.intel_statements, given.certificates,
                                                           given.revocation_lists, pck.chain, pck.platform, quote.is_tdx());
  if (!context.checks.Decide(name, gathered, "every part of Intel's collateral is there", kFreshCollateral))
    return std::nullopt;
  return std::move(gathered).value();
}

void CheckCollateral(const Quote& quote, const Pck& pck, VerifyContext& context) {
  std::optional<IntelCollateral> collateral = FindCollateral(quote, pck, context);
  if (!collateral) return;
  CheckRevocation(*collateral, pck, context);
  CheckCertificateDates("pck_crl.certificate_dates", collateral->pck_crl_issuer_chain, context);
  std::optional<Statements> statements = CheckStatements(*collateral, context);
  if (!statements) return;
  std::optional<TcbStanding> standing = CheckStanding(quote, pck, *statements, context);
  if (standing) JudgeStanding(*standing, context);
}

void CheckSgxBody(const SgxReport& report, VerifyContext& context) {
  const SgxPolicy& policy = context.inputs.policy.sgx;
  context.claims.measurement.assign(report.mr_enclave.begin(), report.mr_enclave.end());
  context.claims.report_data.assign(report.report_data.begin(), report.report_data.end());
  context.claims.debug = report.debug();
  context.Detail("mrsigner", report.mr_signer);
  context.Detail("isv_prod_id", std::to_string(report.isv_prod_id));
  context.Detail("isv_svn", std::to_string(report.isv_svn));
  context.checks.Decide("sgx.debug", !report.debug() || policy.allow_debug_enclave_insecure,
                        report.debug() ? "a debug enclave: its host may read its memory" : "not a debug enclave",
                        "an enclave signed without debug, or allow_debug_enclave_insecure = true");
  bool signer_pinned = !policy.mrsigner.empty();
  CheckPinned("sgx.mrenclave", report.mr_enclave, policy.mrenclave,
              policy.any_measurement_insecure || (policy.mrenclave.empty() && signer_pinned), "[sgx] mrenclave",
              context);
  CheckIfAsked("sgx.mrsigner", report.mr_signer, policy.mrsigner, "[sgx] mrsigner", context);
  if (policy.isv_prod_id)
    context.checks.Decide("sgx.isv_prod_id", report.isv_prod_id == *policy.isv_prod_id,
                          "the product is " + std::to_string(report.isv_prod_id),
                          "product " + std::to_string(*policy.isv_prod_id));
  context.checks.Decide("sgx.isv_svn", report.isv_svn >= policy.isv_svn,
                        "the enclave's security version is " + std::to_string(report.isv_svn),
                        "version " + std::to_string(policy.isv_svn) + " or later");
}

void CheckTdBody(const TdReport& report, VerifyContext& context) {
  const TdxPolicy& policy = context.inputs.policy.tdx;
  context.claims.measurement.assign(report.mr_td.begin(), report.mr_td.end());
  context.claims.report_data.assign(report.report_data.begin(), report.report_data.end());
  context.claims.debug = report.debug();
  context.Detail("mr_seam", report.mr_seam);
  for (size_t i = 0; i < report.rtmr.size(); ++i)
    context.Detail(("rtmr" + std::to_string(i)).c_str(), report.rtmr[i]);
  context.checks.Decide(
      "tdx.debug", !report.debug() || policy.allow_debug_insecure,
      report.debug() ? "a debug trust domain: its host may read its memory" : "not a debug trust domain",
      "a trust domain launched without debug, or allow_debug_insecure = true");
  context.checks.Decide("tdx.attributes", report.attributes_known(),
                        report.attributes_known() ? "the attributes hold nothing unknown that bears on security"
                                                  : "the attributes have bits that this verifier does not know",
                        "a trust domain whose attributes 8 to 26 are 0");
  context.checks.Decide("tdx.migration", !report.migratable() || policy.allow_migration,
                        report.migratable() ? "the trust domain may be migrated" : "the trust domain cannot be migrated",
                        "a trust domain launched without MIGRATABLE, or allow_migration = true");
  CheckPinned("tdx.mr_td", report.mr_td, policy.mr_td, policy.any_measurement_insecure, "[tdx] mr_td", context);
  CheckIfAsked("tdx.mr_seam", report.mr_seam, policy.mr_seam, "[tdx] mr_seam", context);
  CheckIfAsked("tdx.rtmr0", report.rtmr[0], policy.rtmr0, "[tdx] rtmr0", context);
  CheckIfAsked("tdx.rtmr1", report.rtmr[1], policy.rtmr1, "[tdx] rtmr1", context);
  CheckIfAsked("tdx.rtmr2", report.rtmr[2], policy.rtmr2, "[tdx] rtmr2", context);
  CheckIfAsked("tdx.rtmr3", report.rtmr[3], policy.rtmr3, "[tdx] rtmr3", context);
  auto one = [](const std::string& hex) { return hex.empty() ? std::vector<std::string>() : std::vector{hex}; };
  CheckIfAsked("tdx.mr_config_id", report.mr_config_id, one(policy.mr_config_id), "[tdx] mr_config_id", context);
  CheckIfAsked("tdx.mr_owner", report.mr_owner, one(policy.mr_owner), "[tdx] mr_owner", context);
  CheckIfAsked("tdx.mr_owner_config", report.mr_owner_config, one(policy.mr_owner_config), "[tdx] mr_owner_config",
               context);
}

}  // namespace

void VerifyQuote(const Evidence& evidence, VerifyContext& context) {
  Result<Quote> quote = ParseQuote(evidence.report);
  bool kind_matches = !quote.ok() || quote->is_tdx() == (evidence.platform == PlatformKind::kTdx);
  Status format = !quote.ok()    ? Status(quote.error())
                  : kind_matches ? Status()
                                 : Status(Malformed("the quote is of another TEE than the evidence says"));
  if (!context.checks.Decide("quote.format", format, "a DCAP quote of a known version",
                             "a quote of version 3, 4 or 5 from Intel's quoting enclave"))
    return;
  context.Detail("quote_version", std::to_string(quote->version));
  Result<Pck> pck = ReadPck(*quote, context.inputs.anchors);
  context.checks.Decide("pck.chain", pck, "the PCK chain holds and ends in Intel's pinned root",
                        "a quote with its PCK certificate chain");
  CheckQuoteSignatures(*quote, pck.ok() ? &*pck : nullptr, context);
  if (pck.ok()) {
    CheckCertificateDates("pck.dates", pck->chain, context);
    std::vector<std::byte> ppid = DecodeHexAnyCase(pck->platform.ppid).value();
    context.Detail("fmspc", pck->platform.fmspc);
    context.claims.device = EncodeHex(ppid);
    context.Detail("ppid", ppid);
    CheckIfAsked("pck.ppid", ppid, context.inputs.policy.intel.ppids, "[intel] ppids", context);
    CheckCollateral(*quote, *pck, context);
  }
  if (const SgxReport* sgx = std::get_if<SgxReport>(&quote->body)) CheckSgxBody(*sgx, context);
  if (const TdReport* td = std::get_if<TdReport>(&quote->body)) CheckTdBody(*td, context);
}

}  // namespace soter::internal
