// Evidence of real machines, from the test data of other projects, with the verdict that it must get. The files are
// not part of the project: SOTER_VECTORS names the folder that holds attestation/.
#include "tests/attest/test_vectors.h"

namespace soter {
namespace {

const std::string kPins = kPinNothing;
const std::string kNoCollateral = "[intel]\nallow_missing_collateral_insecure = true\n";
const std::string kSgxAllowed =
    "[intel]\nallow_hw_config_needed = true\nallow_sw_hardening_needed = true\n"
    "allowed_advisories = [\"INTEL-SA-00289\", \"INTEL-SA-00615\"]\n";
constexpr char kSnpTime[] = "2025-06-01T00:00:00Z", kIntelTime[] = "2025-07-01T00:00:00Z";

Verdict Verify(const std::string& name, const std::vector<std::string>& collateral, const std::string& policy,
               const char* time) {
  return VerifyBytes(ReadVector(name), CollateralOf(collateral), PolicyOf(policy), time);
}

TEST(AttestationVectors, MilanReportWithDebugIsRefusedForThatAlone) {
  SKIP_WITHOUT_VECTORS();
  Verdict verdict = Verify("gsg_attestation.bin", {"gsg_vcek.der", "gsg_milan.pem"}, kPins, kSnpTime);
  EXPECT_EQ(Failed(verdict), "snp.debug ") << Explain(verdict);
  EXPECT_EQ(verdict.Accept().error().code, ErrorCode::kAuth);
}

TEST(AttestationVectors, MilanReportWithDebugIsAcceptedByAPolicyThatAllowsIt) {
  SKIP_WITHOUT_VECTORS();
  Policy policy = PolicyOf(kPins);
  policy.snp.allow_debug_insecure = true;
  Verdict verdict = VerifyBytes(ReadVector("gsg_attestation.bin"), CollateralOf({"gsg_vcek.der", "gsg_milan.pem"}),
                                policy, kSnpTime);
  EXPECT_EQ(Failed(verdict), "") << Explain(verdict);
}

TEST(AttestationVectors, SecondMilanReportIsAccepted) {
  SKIP_WITHOUT_VECTORS();
  Verdict verdict = Verify("tr_test-report.bin", {"tr_test-vcek.der", "tr_milan.pem"}, kPins, kSnpTime);
  EXPECT_TRUE(verdict.accepted()) << Explain(verdict);
  EXPECT_TRUE(verdict.Accept().ok());
}

TEST(AttestationVectors, WrongVceksAreRefused) {
  SKIP_WITHOUT_VECTORS();
  for (const char* vcek : {"tr_test-vcek-invalid-legacy.der", "tr_test-vcek-invalid-new.der", "gsg_vcek.der"}) {
    Verdict verdict = Verify("tr_test-report.bin", {vcek, "tr_milan.pem"}, kPins, kSnpTime);
    EXPECT_FALSE(verdict.accepted()) << vcek << Explain(verdict);
  }
}

TEST(AttestationVectors, ReportWithoutItsChainIsRefused) {
  SKIP_WITHOUT_VECTORS();
  EXPECT_EQ(Failed(Verify("tr_test-report.bin", {}, kPins, kSnpTime)), "snp.certificate_chain ");
  EXPECT_EQ(Failed(Verify("tr_test-report.bin", {"tr_test-vcek.der"}, kPins, kSnpTime)), "snp.certificate_chain ");
}

TEST(AttestationVectors, VlekReportIsAcceptedUntilItsCertificateExpires) {
  SKIP_WITHOUT_VECTORS();
  const std::vector<std::string> chain = {"tr_test-vlek.der", "tr_milan.pem"};
  Verdict before = Verify("tr_test-vlek-report.bin", chain, kPins, kSnpTime);
  EXPECT_TRUE(before.accepted()) << Explain(before);
  EXPECT_EQ(Failed(Verify("tr_test-vlek-report.bin", chain, kPins, "2025-12-11T00:00:00Z")),
            "snp.certificate_dates ");
  Policy vmpl0 = PolicyOf(kPins);
  vmpl0.snp.vmpls = {0};
  EXPECT_EQ(Failed(VerifyBytes(ReadVector("tr_test-vlek-report.bin"), CollateralOf(chain), vmpl0, kSnpTime)),
            "snp.vmpl ");
  Policy no_vlek = PolicyOf(kPins);
  no_vlek.snp.allow_vlek = false;
  EXPECT_EQ(Failed(VerifyBytes(ReadVector("tr_test-vlek-report.bin"), CollateralOf(chain), no_vlek, kSnpTime)),
            "snp.signing_key ");
}

TEST(AttestationVectors, SgxQuoteNeedsConfigurationAndHardening) {
  SKIP_WITHOUT_VECTORS();
  Verdict strict = Verify("ph_sgx_quote", {"ph_sgx_quote_collateral.json"}, kPins, kIntelTime);
  EXPECT_EQ(Failed(strict), "tcb.status tcb.advisories ") << Explain(strict);
  EXPECT_EQ(strict.unverified_claims().tcb_status, "ConfigurationAndSWHardeningNeeded");
  EXPECT_THAT(strict.unverified_claims().advisories,
              testing::UnorderedElementsAre("INTEL-SA-00289", "INTEL-SA-00615"));
  Verdict allowed = Verify("ph_sgx_quote", {"ph_sgx_quote_collateral.json"}, kPins + kSgxAllowed, kIntelTime);
  EXPECT_TRUE(allowed.accepted()) << Explain(allowed);
}

TEST(AttestationVectors, TdxQuoteIsUpToDate) {
  SKIP_WITHOUT_VECTORS();
  Verdict verdict = Verify("ph_tdx_quote", {"ph_tdx_quote_collateral.json"}, kPins, kIntelTime);
  EXPECT_TRUE(verdict.accepted()) << Explain(verdict);
  EXPECT_EQ(verdict.unverified_claims().tcb_status, "UpToDate");
  EXPECT_TRUE(verdict.unverified_claims().advisories.empty());
}

TEST(AttestationVectors, IntelCollateralHasAWindow) {
  SKIP_WITHOUT_VECTORS();
  for (const char* time : {"2025-06-18T00:00:00Z", "2025-07-20T00:00:00Z"}) {
    Verdict verdict = Verify("ph_tdx_quote", {"ph_tdx_quote_collateral.json"}, kPins, time);
    EXPECT_EQ(Failed(verdict), "pck.revocation tcb_info.dates qe_identity.dates ") << time << Explain(verdict);
  }
}

TEST(AttestationVectors, CollateralOfAnotherKindIsRefused) {
  SKIP_WITHOUT_VECTORS();
  EXPECT_EQ(Failed(Verify("ph_tdx_quote", {"ph_sgx_quote_collateral.json"}, kPins, kIntelTime)),
            "pck.revocation tcb_info.kind tcb_info.fmspc ");
  EXPECT_EQ(Failed(Verify("tr_tdx_quote_5.dat", {"ph_sgx_quote_collateral.json"}, kPins, kIntelTime)),
            "pck.revocation tcb_info.kind tcb_info.fmspc ");
}

Policy WithoutCollateral(bool allow_debug) {
  Policy policy = PolicyOf(kPins + kNoCollateral);
  policy.sgx.allow_debug_enclave_insecure = policy.tdx.allow_debug_insecure = allow_debug;
  return policy;
}

TEST(AttestationVectors, QuotesWithoutCollateralAreRefusedUnlessThePolicySaysOtherwise) {
  SKIP_WITHOUT_VECTORS();
  // The first two are of debug enclaves, which is a second reason to refuse them.
  const std::pair<const char*, const char*> cases[] = {
      {"tr_occlum_quote.dat", "sgx.debug "}, {"tr_tdx_quote_4.dat", "tdx.debug "}, {"tr_tdx_quote_5.dat", ""}};
  for (auto [name, debug] : cases) {
    Verdict strict = Verify(name, {}, kPins, kIntelTime);
    EXPECT_EQ(Failed(strict), std::string("collateral ") + debug) << name << "\n" << Explain(strict);
    Verdict no_debug = VerifyBytes(ReadVector(name), {}, WithoutCollateral(/*allow_debug=*/false), kIntelTime);
    EXPECT_EQ(Failed(no_debug), debug) << name << "\n" << Explain(no_debug);
    Verdict allowed = VerifyBytes(ReadVector(name), {}, WithoutCollateral(/*allow_debug=*/true), kIntelTime);
    EXPECT_TRUE(allowed.accepted()) << name << "\n" << Explain(allowed);
  }
}

TEST(AttestationVectors, RaTlsCertificatesOfOthersHoldButForTheirDebugEnclaves) {
  SKIP_WITHOUT_VECTORS();
  for (const char* name : {"ratls_gramine-cert.pem", "ratls_rats-tls-cert.pem"}) {
    const char* time = "2023-02-22T16:30:00Z";
    EXPECT_EQ(Failed(Verify(name, {}, kPins + kNoCollateral, time)), "sgx.debug ") << name;
    Verdict verdict = VerifyBytes(ReadVector(name), {}, WithoutCollateral(/*allow_debug=*/true), time);
    EXPECT_TRUE(verdict.accepted()) << name << "\n" << Explain(verdict);
  }
  EXPECT_EQ(Failed(VerifyBytes(ReadVector("ratls_rats-tls-cert.pem"), {}, WithoutCollateral(/*allow_debug=*/true),
                               kIntelTime)),
            "ra_tls.dates ");
}

}  // namespace
}  // namespace soter
