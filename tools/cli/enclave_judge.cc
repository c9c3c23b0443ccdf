#include "tools/cli/enclave_judge.h"

#include <time.h>

#include "common/base/file.h"
#include "common/base/hex.h"
#include "trusted/attest/verify/evidence_file.h"

namespace soter {

namespace {

constexpr size_t kMaxFileBytes = 4 << 20;

Error AsUsage(Error error, const std::string& context) {
  error.code = ErrorCode::kInvalidArgument;
  return Annotate(std::move(error), context);
}

// What the policy wanted and did not get, all of it: the operator mends it in one go.
Status Refuse(const Verdict& verdict, const std::string& policy_path) {
  if (verdict.accepted()) return {};
  std::string refused;
  for (const EvidenceCheck& check : verdict.checks()) {
    if (check.outcome != CheckOutcome::kFailed) continue;
    refused += (refused.empty() ? "" : "; ") + check.name + ": " + check.why + " (wanted: " + check.remedy + ")";
  }
  return AuthError("the enclave is refused by " + policy_path + ": " + refused);
}

}  // namespace

Result<EnclaveJudge> EnclaveJudge::Load(const std::string& policy_path,
                                        const std::vector<std::string>& collateral_paths) {
  EnclaveJudge judge;
  judge.path_ = policy_path;
  Result<SecretBytes> text = ReadFile(policy_path, kMaxFileBytes);
  if (!text.ok()) return AsUsage(text.error(), "--enclave-policy");
  Result<Policy> policy = ParsePolicy(AsText(text->Expose()));
  if (!policy.ok()) return AsUsage(policy.error(), "--enclave-policy " + policy_path);
  judge.policy_ = std::move(policy).value();
  const WorkloadPolicy& workload = judge.policy_.workload;
  if (!judge.policy_.report_data.empty() || !workload.purpose.empty() || !workload.nonce.empty())
    return InvalidArgument("--enclave-policy " + policy_path +
                           ": report_data, purpose and nonce are soter's own choice here; leave them out");
  for (const std::string& path : collateral_paths) {
    Result<SecretBytes> content = ReadFile(path, kMaxFileBytes);
    if (!content.ok()) return AsUsage(content.error(), "--enclave-collateral");
    Status added = AddCollateral(content->Expose(), judge.collateral_);
    if (!added.ok()) return AsUsage(added.error(), "--enclave-collateral " + path);
  }
  return judge;
}

Policy EnclaveJudge::PolicyFor(std::string_view purpose, Stage stage) const {
  Policy policy = policy_;
  if (stage == Stage::kBeforeModel) policy.workload = WorkloadPolicy();
  policy.workload.purpose = purpose;
  return policy;
}

Status EnclaveJudge::JudgeLink(const Certificate& certificate) const {
  Policy policy = PolicyFor(kRaTlsPurpose, Stage::kBeforeModel);
  return Refuse(VerifyRaTls(certificate, {policy, collateral_, ::time(nullptr)}), path_);
}

Result<EvidenceClaims> EnclaveJudge::JudgeEvidence(ByteView json, ByteView nonce,
                                                   const std::optional<Certificate>& link, Stage stage) const {
  Policy policy = PolicyFor(kAttestPurpose, stage);
  policy.workload.nonce = EncodeHex(nonce);
  Result<EvidenceFile> file = ParseEvidenceFile(json);
  const Evidence* evidence = file.ok() ? std::get_if<Evidence>(&*file) : nullptr;
  if (evidence == nullptr) return AuthError("the enclave's answer is no evidence");
  VerifyInputs inputs = {policy, collateral_, ::time(nullptr)};
  Verdict verdict = link ? VerifyForKey(*evidence, link->PublicKeyDer(), inputs) : VerifyEvidence(*evidence, inputs);
  TRY(Refuse(verdict, path_));
  return verdict.unverified_claims();
}

}  // namespace soter
