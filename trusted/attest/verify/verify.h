#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trusted/attest/evidence.h"
#include "trusted/attest/verify/check_list.h"
#include "trusted/attest/verify/intel_collateral.h"
#include "trusted/attest/verify/policy.h"
#include "trusted/attest/verify/roots.h"
#include "trusted/attest/workload_claims.h"
#include "trusted/crypto/certificate.h"

namespace soter {

// EvidenceClaims is what evidence says; worth something only inside a VerifiedEvidence.
struct EvidenceClaims {
  PlatformKind platform = PlatformKind::kDev;
  std::vector<std::byte> measurement;  // MRENCLAVE, MRTD, SNP launch measurement, digest of the dev program
  std::vector<std::byte> report_data;
  std::string device;  // hexadecimal: SNP chip id, Intel PPID, dev key; empty where the evidence vouches for none (VLEK)
  bool debug = false;
  std::string tcb_status;               // Intel: "UpToDate" and so on; empty where none was determined
  std::vector<std::string> advisories;  // Intel: what the TCB level is known to suffer from
  std::optional<WorkloadClaims> workload;
  std::vector<std::pair<std::string, std::string>> details;  // the platform's other fields, for people
};

// Collateral is what comes beside the evidence; none of it is trusted until a check says so.
struct Collateral {
  std::optional<IntelCollateral> intel;  // all of it in one file; otherwise what the members below hold of it
  IntelStatements intel_statements;
  std::vector<Certificate> certificates;
  std::vector<RevocationList> revocation_lists;
};

// VerifiedEvidence can only be had from a Verdict that accepts.
class VerifiedEvidence {
 public:
  const EvidenceClaims& claims() const { return claims_; }

 private:
  friend class Verdict;
  explicit VerifiedEvidence(EvidenceClaims claims) : claims_(std::move(claims)) {}
  EvidenceClaims claims_;
};

// Verdict is every check that was made of one piece of evidence, and what the evidence says.
class Verdict {
 public:
  Verdict(CheckList checks, EvidenceClaims claims) : checks_(std::move(checks)), claims_(std::move(claims)) {}

  bool accepted() const { return checks_.all_held(); }
  const std::vector<EvidenceCheck>& checks() const { return checks_.checks(); }
  const EvidenceClaims& unverified_claims() const { return claims_; }  // for printing

  // Accept returns the claims of accepted evidence. Errors: kAuth (names the first check that failed).
  Result<VerifiedEvidence> Accept() const;

 private:
  CheckList checks_;
  EvidenceClaims claims_;
};

// VerifyInputs is what a verdict depends on, besides the evidence.
struct VerifyInputs {
  const Policy& policy;
  const Collateral& collateral;
  int64_t time_s;  // dates are judged as of this moment, seconds since 1970, from a clock that the caller trusts
  const TrustAnchors& anchors = PinnedRoots();
};

// VerifyEvidence makes every check that evidence of its kind is subject to, in the order of docs/spec/attestation.md,
// 4, and goes on after one that fails, as far as the bytes allow, so that the verdict lists all that is wrong.
Verdict VerifyEvidence(const Evidence& evidence, const VerifyInputs& inputs);

// VerifyBound is for a protocol that fixes report_data itself (key release): it checks for just these 64 bytes, and
// holds the policy's [workload] against `claims`, which the protocol must have bound into them; empty where it has none.
Verdict VerifyBound(const Evidence& evidence, const std::array<std::byte, 64>& report_data, ByteView claims,
                    const VerifyInputs& inputs);

// VerifyForKey is VerifyEvidence, and a check that the claims speak of the key with this SubjectPublicKeyInfo: evidence
// for one end of a connection, where the caller knows that the other end has that key.
Verdict VerifyForKey(const Evidence& evidence, ByteView public_key_der, const VerifyInputs& inputs);

// VerifyRaTls verifies an RA-TLS certificate: the evidence inside, and that it speaks of the certificate's key.
Verdict VerifyRaTls(const Certificate& certificate, const VerifyInputs& inputs);

}  // namespace soter
