#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trusted/attest/verify/verify.h"

namespace soter {

// EnclaveJudge holds what an operator demands of an enclave: --enclave-policy and --enclave-collateral. The policy's
// [workload] model_digest, schemes and checks bind the enclave once it has the model; what must hold before a model is
// sent is everything else.
class EnclaveJudge {
 public:
  // Load reads the policy and the collateral. Errors: kInvalidArgument (a file that cannot be read or does not parse; a
  // policy that pins report_data, a purpose or a nonce, which are chosen here).
  static Result<EnclaveJudge> Load(const std::string& policy_path, const std::vector<std::string>& collateral_paths);

  // JudgeLink judges the certificate of an enclave that has no model yet. Errors: kAuth (every check that failed).
  Status JudgeLink(const Certificate& certificate) const;

  // JudgeEvidence judges what the enclave answered to `nonce`, before it has the model or with it. Over a link, the
  // evidence must be of the enclave at its other end. Errors: kAuth (every check that failed).
  enum class Stage { kBeforeModel, kWithModel };
  Result<EvidenceClaims> JudgeEvidence(ByteView json, ByteView nonce, const std::optional<Certificate>& link,
                                       Stage stage) const;

 private:
  EnclaveJudge() = default;
  Policy PolicyFor(std::string_view purpose, Stage stage) const;

  std::string path_;
  Policy policy_;
  Collateral collateral_;
};

}  // namespace soter
