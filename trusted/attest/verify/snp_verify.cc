#include "common/base/hex.h"
#include "trusted/attest/verify/context.h"
#include "trusted/crypto/der_reader.h"

namespace soter::internal {
namespace {

// Extensions of a VCEK or VLEK certificate (AMD publication 57230, 3.1).
constexpr const char kProductOid[] = "1.3.6.1.4.1.3704.1.2", kBootloaderOid[] = "1.3.6.1.4.1.3704.1.3.1",
                     kTeeOid[] = "1.3.6.1.4.1.3704.1.3.2", kSnpOid[] = "1.3.6.1.4.1.3704.1.3.3",
                     kMicrocodeOid[] = "1.3.6.1.4.1.3704.1.3.8", kFmcOid[] = "1.3.6.1.4.1.3704.1.3.9",
                     kHardwareIdOid[] = "1.3.6.1.4.1.3704.1.4";
constexpr size_t kTurinHardwareIdBytes = 8;

struct SnpChain {
  std::vector<Certificate> path;  // leaf, ASK or ASVK, ARK
  SnpLine line = SnpLine::kMilan;
};

// What the host handed over may hold another certificate of the issuer's name: the one that signed, or else any.
const Certificate* FindIssuer(std::span<const Certificate> candidates, const Certificate& subject) {
  const Certificate* named = nullptr;
  for (const Certificate& candidate : candidates) {
    if (!subject.IsIssuedBy(candidate)) continue;
    named = &candidate;
    if (subject.IsSignedBy(candidate)) break;
  }
  return named;
}

Status SignedBy(const Certificate& leaf, const SnpReport& report) {
  return CheckSignature(EcdsaKind::kP384Sha384, leaf, report.signed_bytes, report.signature);
}

// A store may hold a machine's certificates for several TCBs: the one that signed the report, or else any.
Result<std::vector<Certificate>> FindPath(std::span<const Certificate> candidates, const SnpReport& report) {
  const char* name = report.signing_key == SnpReport::SigningKey::kVcek ? "SEV-VCEK" : "SEV-VLEK";
  auto named = [&](const Certificate& c) { return c.subject_name() == name; };
  auto signed_it = [&](const Certificate& c) { return named(c) && SignedBy(c, report).ok(); };
  auto leaf = std::find_if(candidates.begin(), candidates.end(), signed_it);
  if (leaf == candidates.end()) leaf = std::find_if(candidates.begin(), candidates.end(), named);
  if (leaf == candidates.end()) return AuthError(std::string("no ") + name + " certificate came with the report");
  const Certificate* intermediate = FindIssuer(candidates, *leaf);
  if (intermediate == nullptr) return AuthError("the certificate \"" + leaf->issuer_name() + "\" is missing");
  const Certificate* root = FindIssuer(candidates, *intermediate);
  if (root == nullptr) return AuthError("the certificate \"" + intermediate->issuer_name() + "\" is missing");
  return std::vector<Certificate>{*leaf, *intermediate, *root};
}

// Adds the checks that the chain leads to a pinned root. Without a chain, nothing else can be checked.
std::optional<SnpChain> CheckChain(const SnpReport& report, std::span<const Certificate> candidates,
                                   VerifyContext& context) {
  Result<std::vector<Certificate>> path = FindPath(candidates, report);
  Status chained = path.ok() ? CheckPath(*path) : Status(path.error());
  if (!context.checks.Decide("snp.certificate_chain", chained, "each certificate is signed by the next",
                             "give AMD's chain for this machine: the VCEK or VLEK, then "
                             "kdsintf.amd.com/{vcek,vlek}/v1/{Milan,Genoa,Turin}/cert_chain"))
    return std::nullopt;
  Sha256::Digest root = path->back().PublicKeyDigest();
  for (const TrustAnchors::AmdRoot& anchor : context.inputs.anchors.amd) {
    if (anchor.key_digest != root) continue;
    context.checks.Pass("snp.root",
                        std::string("the chain ends in AMD's pinned root for ") + SnpLineName(anchor.line));
    return SnpChain{std::move(path).value(), anchor.line};
  }
  context.checks.Fail(
      "snp.root",
      "the chain ends in \"" + path->back().subject_name() + "\", whose key " + EncodeHex(root) + " is not pinned",
      "evidence that chains to a root in trusted/attest/verify/roots.cc");
  return std::nullopt;
}

// AMD's lists are issued by the ARK and name revoked ASKs, ASVKs and VLEKs' issuers. One list must be current; what an
// older one beside it revokes stays revoked.
void CheckRevocation(const SnpChain& chain, VerifyContext& context) {
  const char name[] = "snp.revocation", remedy[] = "a current list from kdsintf.amd.com/vcek/v1/{line}/crl";
  const Certificate& root = chain.path.back();
  bool any_current = false;
  std::string stale;
  for (const RevocationList& list : context.inputs.collateral.revocation_lists) {
    if (!list.IsIssuedBy(root)) continue;
    Status is_amds = list.CheckSignature(root);
    if (!is_amds.ok()) return context.checks.Fail(name, is_amds.error().message, remedy);
    for (const Certificate& certificate : chain.path)
      if (list.Revokes(certificate))
        return context.checks.Fail(name, '"' + certificate.subject_name() + "\" is revoked",
                                   "a machine whose certificates AMD has not revoked");
    Status current = ListIsCurrent(list, context.inputs.time_s);
    any_current |= current.ok();
    if (!current.ok()) stale = current.error().message;
  }
  if (any_current) return context.checks.Pass(name, "no certificate is on AMD's list");
  if (!stale.empty()) return context.checks.Fail(name, stale, remedy);
  if (context.inputs.policy.snp.require_revocation_lists)
    return context.checks.Fail(name, "no revocation list of this root was given", remedy);
  context.checks.Skip(name, "no revocation list of this root was given", remedy);
}

Result<uint8_t> TcbPart(const Certificate& leaf, const char* oid) {
  std::optional<std::vector<std::byte>> content = TRY(leaf.Extension(oid));
  if (!content) return Malformed(std::string("the certificate lacks extension ") + oid);
  DerReader reader(*content);
  uint16_t value = TRY(reader.ReadSmallInteger());
  TRY(reader.ExpectEnd());
  if (value > UINT8_MAX) return Malformed("a TCB part in the certificate exceeds 255");
  return static_cast<uint8_t>(value);
}

Result<SnpTcb> CertificateTcb(const Certificate& leaf, SnpLine line) {
  SnpTcb tcb = {.bootloader = TRY(TcbPart(leaf, kBootloaderOid))};
  tcb.tee = TRY(TcbPart(leaf, kTeeOid));
  tcb.snp = TRY(TcbPart(leaf, kSnpOid));
  tcb.microcode = TRY(TcbPart(leaf, kMicrocodeOid));
  if (line == SnpLine::kTurin) tcb.fmc = TRY(TcbPart(leaf, kFmcOid));
  return tcb;
}

Status TcbMatches(const SnpReport& report, const SnpChain& chain) {
  SnpTcb certified = TRY(CertificateTcb(chain.path[0], chain.line));
  SnpTcb reported = DecodeSnpTcb(report.reported_tcb, chain.line);
  if (certified != reported)
    return AuthError("the certificate is for " + certified.ToText() + "; the report says " + reported.ToText());
  return {};
}

using ChipId = std::array<std::byte, 64>;

// The hardware id stands in the extension as it is or wrapped as an OCTET STRING, depending on when it was issued.
Result<ChipId> CertifiedChip(const SnpChain& chain) {
  size_t size = chain.line == SnpLine::kTurin ? kTurinHardwareIdBytes : ChipId().size();
  std::optional<std::vector<std::byte>> content = TRY(chain.path[0].Extension(kHardwareIdOid));
  if (!content) return AuthError("the VCEK certificate names no chip");
  ByteView id = *content;
  if (id.size() != size) {
    DerReader reader(id);
    id = TRY(reader.Read(DerReader::kOctetString));
    TRY(reader.ExpectEnd());
  }
  ChipId padded = {};
  if (id.size() != size) return Malformed("the VCEK certificate's chip id has the wrong length");
  std::copy(id.begin(), id.end(), padded.begin());
  return padded;
}

// A VCEK is one chip's, a VLEK any's. A host may have its chip's id masked in reports: then the certificate, whose key
// signed, still says which it is.
void CheckChip(const SnpReport& report, const SnpChain& chain, const char* remedy, VerifyContext& context) {
  const char name[] = "snp.chip_id";
  if (report.signing_key == SnpReport::SigningKey::kVlek)
    return context.checks.Skip(name, "a VLEK belongs to a cloud provider, not to a chip", "a report signed by a VCEK");
  bool masked = report.chip_id == ChipId();
  Result<ChipId> certified = CertifiedChip(chain);
  Status same = !certified.ok()                            ? Status(certified.error())
                : masked || *certified == report.chip_id ? Status()
                                                           : Status(AuthError("the VCEK certificate is another chip's"));
  if (!context.checks.Decide(name, same,
                             masked ? "the report masks its chip's id; the certificate has it" : "the certificate is this chip's",
                             remedy))
    return;
  context.claims.device = EncodeHex(*certified);
}

Status LineMatches(const SnpReport& report, const SnpChain& chain) {
  std::optional<std::vector<std::byte>> content = TRY(chain.path[0].Extension(kProductOid));
  if (!content) return AuthError("the certificate names no product");
  DerReader reader(*content);
  ByteView raw = TRY(reader.Read(DerReader::kIa5String));
  TRY(reader.ExpectEnd());
  std::string_view name(reinterpret_cast<const char*>(raw.data()), raw.size());
  bool named = name.starts_with(SnpLineName(chain.line)) ||
               (chain.line == SnpLine::kGenoa && (name.starts_with("Siena") || name.starts_with("Bergamo")));
  if (!named)
    return AuthError("the certificate is for \"" + std::string(name) + "\", its root is for " +
                     SnpLineName(chain.line));
  if (report.version < 3) return {};  // older reports do not name their CPU
  uint8_t family = chain.line == SnpLine::kTurin ? 0x1a : 0x19;
  bool high = report.cpu_model >= 0x10;
  bool model = chain.line == SnpLine::kGenoa ? high : chain.line == SnpLine::kTurin || !high;
  if (report.cpu_family != family || !model) return AuthError("the report's CPU is of another line than its root");
  return {};
}

void CheckIdentity(const SnpReport& report, const SnpChain& chain, VerifyContext& context) {
  const char remedy[] = "the certificate that AMD issued for this machine at its reported TCB";
  context.checks.Decide("snp.product_line", LineMatches(report, chain),
                        std::string("report, certificate and root are of ") + SnpLineName(chain.line), remedy);
  context.checks.Decide("snp.certificate_tcb", TcbMatches(report, chain), "the certificate is for the reported TCB",
                        remedy);
  CheckChip(report, chain, remedy, context);
  context.checks.Decide("snp.signature",
                        SignedBy(chain.path[0], report),
                        "the report is signed by the certificate's key", "the report as the machine made it");
}

void CheckTcbFloor(const SnpReport& report, SnpLine line, VerifyContext& context) {
  const SnpTcb& floor = context.inputs.policy.snp.min_tcb;
  SnpTcb reported = DecodeSnpTcb(report.reported_tcb, line), committed = DecodeSnpTcb(report.committed_tcb, line);
  SnpTcb current = DecodeSnpTcb(report.current_tcb, line);
  context.checks.Decide("snp.min_tcb", reported.AtLeast(floor) && committed.AtLeast(floor),
                        "reported: " + reported.ToText() + "; committed: " + committed.ToText(),
                        "firmware of at least " + floor.ToText() + ", committed by the host");
  SnpTcb launch = DecodeSnpTcb(report.launch_tcb, line), launch_floor = context.inputs.policy.snp.min_launch_tcb;
  if (launch_floor != SnpTcb())
    context.checks.Decide("snp.min_launch_tcb", launch.AtLeast(launch_floor), "at its launch: " + launch.ToText(),
                          "a guest that was started on firmware of at least " + launch_floor.ToText());
  context.checks.Decide("snp.tcb_order", current.AtLeast(committed) && current.AtLeast(reported),
                        "the current firmware is no older than what is reported and committed",
                        "a report from firmware that does not contradict itself");
}

void CheckGuestPolicy(const SnpReport& report, VerifyContext& context) {
  const SnpPolicy& policy = context.inputs.policy.snp;
  CheckList& checks = context.checks;
  checks.Decide("snp.policy_bits", report.policy_known(),
                report.policy_known() ? "the guest policy holds nothing unknown"
                                      : "the guest policy has bits that this verifier does not know",
                "a guest launched with a policy that has bit 17 and none above bit 25");
  checks.Decide("snp.debug", !report.debug_allowed() || policy.allow_debug_insecure,
                report.debug_allowed() ? "the guest policy has DEBUG: the host may read the guest's memory"
                                       : "the guest policy forbids debugging",
                "a guest launched without DEBUG, or allow_debug_insecure = true");
  checks.Decide("snp.migration_agent", !report.migration_agent_allowed() || policy.allow_migration_agent,
                report.migration_agent_allowed() ? "the guest policy admits a migration agent"
                                                 : "the guest policy admits no migration agent",
                "a guest launched without MIGRATE_MA, or allow_migration_agent = true");
  if (!policy.allow_smt)
    checks.Decide("snp.smt", !report.smt_allowed(),
                  report.smt_allowed() ? "the guest policy admits SMT" : "the guest policy forbids SMT",
                  "a guest launched without SMT, or allow_smt = true");
  if (policy.require_alias_check)
    checks.Decide("snp.alias_check", report.alias_check_complete(),
                  report.alias_check_complete() ? "the firmware looked for aliased memory"
                                                : "the firmware did not look for aliased memory",
                  "firmware and BIOS with the memory alias check");
  checks.Decide("snp.vmpl", Contains(policy.vmpls, int64_t{report.vmpl}),
                "the report is from VMPL " + std::to_string(report.vmpl),
                "a report from a level in vmpls, or vmpls = [" + std::to_string(report.vmpl) + "]");
  checks.Decide("snp.guest_svn", report.guest_svn >= policy.min_guest_svn,
                "the guest's security version is " + std::to_string(report.guest_svn),
                "a guest of version " + std::to_string(policy.min_guest_svn) + " or later");
  if (!policy.allow_vlek)
    checks.Decide("snp.signing_key", report.signing_key == SnpReport::SigningKey::kVcek,
                  report.signing_key == SnpReport::SigningKey::kVcek ? "the report is signed by a VCEK"
                                                                     : "the report is signed by a VLEK",
                  "a report signed by a VCEK, or allow_vlek = true");
}

void FillClaims(const SnpReport& report, VerifyContext& context) {
  EvidenceClaims& claims = context.claims;
  claims.measurement.assign(report.measurement.begin(), report.measurement.end());
  claims.report_data.assign(report.report_data.begin(), report.report_data.end());
  claims.debug = report.debug_allowed();
  context.Detail("report_version", std::to_string(report.version));
  context.Detail("vmpl", std::to_string(report.vmpl));
  context.Detail("guest_svn", std::to_string(report.guest_svn));
  context.Detail("host_data", report.host_data);
  context.Detail("id_key_digest", report.id_key_digest);
  context.Detail("chip_id", report.chip_id);
  context.Detail("signing_key", report.signing_key == SnpReport::SigningKey::kVcek ? "VCEK" : "VLEK");
}

// Only a VCEK proves a chip: whoever has a VLEK can sign a report that names any.
void CheckAllowedChip(const SnpReport& report, VerifyContext& context) {
  const std::vector<std::string>& accepted = context.inputs.policy.snp.chip_ids;
  const std::string& device = context.claims.device;
  const char name[] = "snp.chip_allowed", remedy[] = "a report signed by the VCEK of one of those in [snp] chip_ids";
  if (accepted.empty()) return;
  if (report.signing_key == SnpReport::SigningKey::kVlek)
    return context.checks.Fail(name, "a VLEK proves no chip", remedy);
  // Then the chain or snp.chip_id has failed, and says why.
  if (device.empty()) return context.checks.Skip(name, "no certificate proves which chip it is", remedy);
  context.checks.Decide(name, Contains(accepted, device), device, remedy);
}

void CheckPins(const SnpReport& report, VerifyContext& context) {
  const SnpPolicy& policy = context.inputs.policy.snp;
  CheckPinned("snp.measurement", report.measurement, policy.measurements, policy.any_measurement_insecure,
              "[snp] measurements", context);
  if (!policy.host_data.empty())
    CheckIfAsked("snp.host_data", report.host_data, {policy.host_data}, "[snp] host_data", context);
  CheckIfAsked("snp.id_key_digest", report.id_key_digest, policy.id_key_digests, "[snp] id_key_digests", context);
  CheckAllowedChip(report, context);
}

}  // namespace

void VerifySnp(const Evidence& evidence, VerifyContext& context) {
  Result<SnpReport> report = ParseSnpReport(evidence.report);
  Result<std::vector<Certificate>> certificates = ParseCertificates(evidence.certificates);
  Status format = !report.ok()         ? Status(report.error())
                  : !certificates.ok() ? Status(certificates.error())
                                       : Status();
  if (!context.checks.Decide("snp.format", format, "an SNP attestation report of a known version",
                             "a raw report of 1184 bytes, version 2 to 5, with DER certificates"))
    return;
  FillClaims(*report, context);
  const std::vector<Certificate>& more = context.inputs.collateral.certificates;
  certificates->insert(certificates->end(), more.begin(), more.end());
  if (std::optional<SnpChain> chain = CheckChain(*report, *certificates, context)) {
    CheckCertificateDates("snp.certificate_dates", chain->path, context);
    CheckRevocation(*chain, context);
    CheckIdentity(*report, *chain, context);
    CheckTcbFloor(*report, chain->line, context);
    context.Detail("tcb", DecodeSnpTcb(report->reported_tcb, chain->line).ToText());
    context.Detail("launch_tcb", DecodeSnpTcb(report->launch_tcb, chain->line).ToText());
  }
  CheckGuestPolicy(*report, context);
  CheckPins(*report, context);
}

}  // namespace soter::internal
