#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "broker/release_policy.h"
#include "trusted/attest/verify/verify.h"
#include "trusted/jose/json.h"

// Judging one piece of evidence by every policy there is.
namespace soter {

struct AppraisalInputs {
  const std::vector<ReleasePolicy>& policies;
  const std::vector<Collateral>& collaterals;  // at least one, which may be empty
  const std::array<std::byte, 64>& report_data;
  int64_t time_s;
  const TrustAnchors& anchors;
};

struct Appraisal {
  std::optional<VerifiedEvidence> evidence;  // where a policy accepts it
  bool gives_something_up = false;           // the verdict stands on a check that was skipped
  std::vector<std::string> accepted;         // digests of the policies that accept it
  EvidenceClaims claims;                     // unverified, for the log
  Json refusals = Json::array();             // for the log: what each other policy found
};

// Appraise judges `evidence` by each policy, with each collateral until one satisfies it. report_data must be the
// protocol's, so evidence is bound to one session's nonce and key.
Appraisal Appraise(const Evidence& evidence, const AppraisalInputs& inputs);

// LoadCollateral reads the files of a directory: one Collateral for each that holds all of Intel's, and one for the answers
// of Intel's service, if there are any; every one with all certificates and revocation lists.
// Errors: kUnavailable (a file cannot be read), kMalformed (it is no collateral; names it).
Result<std::vector<Collateral>> LoadCollateral(const std::string& directory);

}  // namespace soter
