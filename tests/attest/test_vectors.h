#pragma once

// For tests: the real evidence of other projects (see vectors_test.cc), and how to look at a verdict.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "trusted/attest/verify/evidence_file.h"
#include "trusted/attest/verify/timestamp.h"

namespace soter {

inline std::filesystem::path AttestationVectors() {
  const char* named = std::getenv("SOTER_VECTORS");
  return std::filesystem::path(named ? named : "../shared/vectors") / "attestation";
}

#define SKIP_WITHOUT_VECTORS()                              \
  if (!std::filesystem::is_directory(AttestationVectors())) \
  GTEST_SKIP() << "no vectors in " << AttestationVectors()  \
               << ": set SOTER_VECTORS to the folder that holds attestation/"

inline std::vector<std::byte> ReadVector(const std::string& name) {
  std::ifstream file(AttestationVectors() / name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(text.empty()) << name;
  ByteView bytes = AsBytes(text);
  return {bytes.begin(), bytes.end()};
}

inline Collateral CollateralOf(const std::vector<std::string>& names) {
  Collateral collateral;
  for (const std::string& name : names) EXPECT_TRUE(AddCollateral(ReadVector(name), collateral).ok()) << name;
  return collateral;
}

// A policy that pins nothing, so that a verdict depends on the evidence alone.
inline constexpr char kPinNothing[] = R"(
platforms = ["snp", "sgx", "tdx", "dev"]
[snp]
any_measurement_insecure = true
vmpls = [0, 1]
[sgx]
any_measurement_insecure = true
[tdx]
any_measurement_insecure = true
[dev]
any_measurement_insecure = true
)";

inline Policy PolicyOf(const std::string& toml) {
  Result<Policy> policy = ParsePolicy(toml);
  EXPECT_TRUE(policy.ok()) << (policy.ok() ? "" : policy.error().message);
  return policy.ok() ? *policy : Policy();
}

inline Verdict VerifyBytes(ByteView bytes, const Collateral& collateral, const Policy& policy, const char* time) {
  Result<EvidenceFile> file = ParseEvidenceFile(bytes);
  int64_t time_s = ParseTimestamp(time).value();
  if (file.ok()) return VerifyFile(*file, {policy, collateral, time_s});
  CheckList checks;
  checks.Fail("file", file.error().message, "");
  return Verdict(std::move(checks), {});
}

// The names of the checks that failed, in order, each followed by a space.
inline std::string Failed(const Verdict& verdict) {
  std::string names;
  for (const EvidenceCheck& check : verdict.checks())
    if (check.outcome == CheckOutcome::kFailed) names += check.name + " ";
  return names;
}

inline std::string Explain(const Verdict& verdict) {
  std::string text;
  for (const EvidenceCheck& check : verdict.checks())
    text += std::string(CheckOutcomeName(check.outcome)) + " " + check.name + ": " + check.why + "\n";
  return text;
}

}  // namespace soter
