#include "client/verify_command.h"

#include <time.h>

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "trusted/attest/verify/evidence_file.h"
#include "trusted/attest/verify/timestamp.h"

namespace soter {
namespace {

constexpr int kAccepted = 0, kBadInput = 2, kRefused = 4;
constexpr size_t kMaxFileBytes = 4 << 20;

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unavailable(path + ": cannot be opened");
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Unavailable(path + ": cannot be read");
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) return Malformed(path + ": holds more than 4 MiB");
  return text;
}

// Files hold what the user gave; what they mean is judged later.
struct Files {
  std::string evidence;
  std::vector<std::string> collateral;
  Policy policy;
  int64_t time_s;
};

Result<Files> ReadFiles(const VerifyCommand& command) {
  Files files = {.evidence = TRY(ReadFile(command.evidence_path)), .time_s = ::time(nullptr)};
  for (const std::string& path : command.collateral_paths) files.collateral.push_back(TRY(ReadFile(path)));
  Result<Policy> policy = ParsePolicy(TRY(ReadFile(command.policy_path)));
  if (!policy.ok()) return Annotate(std::move(policy).error(), command.policy_path);
  files.policy = std::move(policy).value();
  if (command.at.empty()) return files;
  Result<int64_t> time_s = ParseTimestamp(command.at);
  if (!time_s.ok()) return Annotate(std::move(time_s).error(), "--at " + command.at);
  files.time_s = *time_s;
  return files;
}

// Bytes that are no evidence, or no collateral, are refused like evidence that does not hold.
Verdict Judge(const VerifyCommand& command, const Files& files) {
  CheckList checks;
  Collateral collateral;
  for (size_t i = 0; i < files.collateral.size(); ++i) {
    Status added = AddCollateral(AsBytes(files.collateral[i]), collateral);
    if (!added.ok())
      checks.Fail("collateral.format", command.collateral_paths[i] + ": " + added.error().message,
                  "Intel's collateral as JSON, or certificates and revocation lists in PEM or DER");
  }
  Result<EvidenceFile> evidence = ParseEvidenceFile(AsBytes(files.evidence));
  if (!evidence.ok()) {
    checks.Fail("evidence.format", command.evidence_path + ": " + evidence.error().message,
                "a JSON bundle of soter attest, an SNP report, a DCAP quote or an RA-TLS certificate");
    return Verdict(std::move(checks), EvidenceClaims());
  }
  Verdict verdict = VerifyFile(*evidence, {files.policy, collateral, files.time_s});
  checks.Append(verdict.checks());
  return Verdict(std::move(checks), verdict.unverified_claims());
}

nlohmann::ordered_json ClaimsJson(const EvidenceClaims& claims) {
  nlohmann::ordered_json json = {{"measurement", EncodeHex(claims.measurement)},
                                 {"report_data", EncodeHex(claims.report_data)},
                                 {"debug", claims.debug}};
  if (!claims.tcb_status.empty()) json["tcb_status"] = claims.tcb_status, json["advisories"] = claims.advisories;
  for (const auto& [name, value] : claims.details) json[name] = value;
  if (claims.workload) {
    const WorkloadClaims& workload = *claims.workload;
    json["workload"] = {{"purpose", workload.purpose},
                        {"nonce", EncodeHex(workload.nonce)},
                        {"model_digest", EncodeHex(workload.model_digest)},
                        {"scheme", workload.scheme},
                        {"check", workload.check}};
  }
  return json;
}

struct Counts {
  size_t passed = 0, failed = 0, skipped = 0;
};

Counts Count(const Verdict& verdict) {
  auto count = [&](CheckOutcome outcome) -> size_t {
    return std::ranges::count(verdict.checks(), outcome, &EvidenceCheck::outcome);
  };
  return {count(CheckOutcome::kPassed), count(CheckOutcome::kFailed), count(CheckOutcome::kSkipped)};
}

// Where no report could be read, there is no platform to speak of.
bool SaysAnything(const EvidenceClaims& claims) { return !claims.measurement.empty(); }

void WriteJson(const Verdict& verdict, int64_t time_s, std::ostream& out) {
  const EvidenceClaims& claims = verdict.unverified_claims();
  Counts counts = Count(verdict);
  nlohmann::ordered_json json = {
      {"accepted", verdict.accepted()},
      {"platform", SaysAnything(claims) ? nlohmann::ordered_json(PlatformName(claims.platform)) : nullptr},
      {"time", FormatTimestamp(time_s)},
      {"summary", {{"passed", counts.passed}, {"failed", counts.failed}, {"skipped", counts.skipped}}},
      {"claims", ClaimsJson(claims)},
      {"checks", nlohmann::ordered_json::array()}};
  for (const EvidenceCheck& check : verdict.checks())
    json["checks"].push_back({{"name", check.name},
                              {"outcome", CheckOutcomeName(check.outcome)},
                              {"why", check.why},
                              {"remedy", check.remedy}});
  // Names in certificates are foreign text and may not be UTF-8.
  out << json.dump(1, ' ', /*ensure_ascii=*/true, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

// A name from a certificate must not write to the terminal what it likes.
std::string Printable(const std::string& text) {
  std::string out;
  for (char c : text) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

void WriteText(const Verdict& verdict, int64_t time_s, std::ostream& out) {
  for (const EvidenceCheck& check : verdict.checks()) {
    out << std::left << std::setw(8) << CheckOutcomeName(check.outcome) << check.name << ": " << Printable(check.why) << "\n";
    if (check.outcome != CheckOutcome::kPassed) out << "        wanted: " << Printable(check.remedy) << "\n";
  }
  Counts counts = Count(verdict);
  const EvidenceClaims& claims = verdict.unverified_claims();
  out << counts.passed << " passed, " << counts.failed << " failed, " << counts.skipped << " skipped\n"
      << (verdict.accepted() ? "accepted: " : "REFUSED: ");
  if (SaysAnything(claims)) {
    out << PlatformName(claims.platform) << " evidence, measurement " << EncodeHex(claims.measurement);
  } else {
    out << "no report could be read";
  }
  out << ", judged as of " << FormatTimestamp(time_s) << "\n";
}

}  // namespace

int RunVerify(const VerifyCommand& command, std::ostream& out, std::ostream& err) {
  Result<Files> files = ReadFiles(command);
  if (!files.ok()) {
    err << Printable(files.error().message);
    return kBadInput;
  }
  Verdict verdict = Judge(command, *files);
  if (command.json) {
    WriteJson(verdict, files->time_s, out);
  } else {
    WriteText(verdict, files->time_s, out);
  }
  return verdict.accepted() ? kAccepted : kRefused;
}

}  // namespace soter
