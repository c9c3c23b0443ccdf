#include "broker/appraisal.h"

#include <algorithm>
#include <filesystem>

#include "common/base/file.h"
#include "trusted/attest/verify/evidence_file.h"

namespace soter {
namespace {

constexpr size_t kMaxCollateralBytes = 4 << 20;

size_t CountFailed(const Verdict& verdict) {
  return std::ranges::count(verdict.checks(), CheckOutcome::kFailed, &EvidenceCheck::outcome);
}

// The verdict under the collateral that suits the evidence best.
Verdict BestVerdict(const Evidence& evidence, const Policy& policy, const AppraisalInputs& inputs) {
  std::optional<Verdict> best;
  for (const Collateral& collateral : inputs.collaterals) {
    Verdict verdict =
        VerifyBound(evidence, inputs.report_data, /*claims=*/{}, {policy, collateral, inputs.time_s, inputs.anchors});
    if (!best || CountFailed(verdict) < CountFailed(*best)) best = std::move(verdict);
    if (best->accepted()) break;
  }
  CHECK(best, "evidence is judged under at least one collateral");
  return std::move(*best);
}

Json DescribeRefusal(const std::string& digest, const Verdict& verdict) {
  Json failed = Json::array();
  for (const EvidenceCheck& check : verdict.checks())
    if (check.outcome == CheckOutcome::kFailed) failed.push_back(check.name + ": " + check.why);
  return {{"policy", digest}, {"failed", failed}};
}

bool HasSkipped(const Verdict& verdict) {
  return std::ranges::any_of(verdict.checks(), [](const EvidenceCheck& check) {
    return check.outcome == CheckOutcome::kSkipped;
  });
}

}  // namespace

Appraisal Appraise(const Evidence& evidence, const AppraisalInputs& inputs) {
  Appraisal appraisal;
  for (const ReleasePolicy& policy : inputs.policies) {
    Verdict verdict = BestVerdict(evidence, policy.evidence, inputs);
    appraisal.claims = verdict.unverified_claims();
    Result<VerifiedEvidence> verified = verdict.Accept();
    if (!verified.ok()) {
      appraisal.refusals.push_back(DescribeRefusal(policy.digest, verdict));
      continue;
    }
    appraisal.accepted.push_back(policy.digest);
    appraisal.gives_something_up |= HasSkipped(verdict);
    appraisal.evidence = std::move(verified).value();
  }
  return appraisal;
}

Result<std::vector<Collateral>> LoadCollateral(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.is_regular_file(error)) paths.push_back(entry.path().string());
  if (error) return Unavailable(directory + ": " + error.message());
  std::ranges::sort(paths);
  Collateral shared;
  std::vector<IntelCollateral> intel;
  for (const std::string& path : paths) {
    SecretBytes bytes = TRY(ReadFile(path, kMaxCollateralBytes));
    Status added = AddCollateral(bytes.Expose(), shared);
    if (!added.ok()) return Annotate(std::move(added).error(), path);
    if (shared.intel) intel.push_back(*std::exchange(shared.intel, std::nullopt));
  }
  std::vector<Collateral> collaterals;
  for (IntelCollateral& one : intel) {
    collaterals.push_back(shared);
    collaterals.back().intel = std::move(one);
  }
  if (collaterals.empty() || !shared.intel_statements.empty()) collaterals.push_back(std::move(shared));
  return collaterals;
}

}  // namespace soter
