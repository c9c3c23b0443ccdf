// SGX and TDX evidence of our own making: what Intel's collateral can say and no real vector at hand shows.
#include "tests/attest/intel_world.h"
#include "tests/attest/test_vectors.h"

namespace soter {
namespace {

std::string Repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

const std::string kModuleAdvisory = std::string(kPinNothing) + "[intel]\nallowed_advisories = [\"INTEL-SA-00001\"]\n";

Verdict Judge(const IntelFault& fault, const std::string& policy = kModuleAdvisory) {
  static const IntelWorld world;
  IntelWorld::Machine machine = world.Make(fault);
  Policy parsed = PolicyOf(policy);
  return VerifyEvidence(machine.evidence, {parsed, machine.collateral, kTestNow, world.anchors()});
}

std::string FailedWith(const IntelFault& fault, const std::string& policy = kModuleAdvisory) {
  return Failed(Judge(fault, policy));
}

TEST(QuoteVerify, EveryVersionAndKindIsAccepted) {
  EXPECT_EQ(FailedWith({}), "");
  EXPECT_EQ(FailedWith({.version = 4}), "");
  for (uint16_t version : {3, 4, 5}) EXPECT_EQ(FailedWith({.tdx = false, .version = version}), "") << version;
}

TEST(QuoteVerify, DebugIsRefused) {
  EXPECT_EQ(FailedWith({.td_attribute = 1}), "tdx.debug ");
  EXPECT_EQ(FailedWith({.td_attribute = 0x80}), "tdx.debug ");
  EXPECT_EQ(FailedWith({.tdx = false, .version = 3, .sgx_flags = 7}), "sgx.debug ");
  EXPECT_EQ(FailedWith({.qe_flags = 0x13}), "quote.qe_debug qe_identity.match ");
}

TEST(QuoteVerify, EveryBodyOfVersion5IsAccepted) {
  for (uint16_t type : {2, 3, 4}) EXPECT_EQ(FailedWith({.td_body_type = type}), "") << type;
}

// A module of TDX 1.0 has no identity of its own: its version stands in the TCB level.
TEST(QuoteVerify, AModuleOfTdx10IsJudgedByItsLevel) {
  const std::string old = "OutOfDate";  // of an identity that does not concern it
  EXPECT_EQ(FailedWith({.module_major = 0, .module_status = old, .tdx_level_svn = 0}, kPinNothing), "");
  EXPECT_EQ(FailedWith({.module_major = 0, .module_svn = 1, .tdx_level_svn = 0}), "");
  EXPECT_EQ(FailedWith({.module_major = 0, .module_svn = 1, .tdx_level_svn = 2}), "tcb_info.level ");
}

TEST(QuoteVerify, AMovableTrustDomainNeedsAPermission) {
  EXPECT_EQ(FailedWith({.td_migration = 0x20}), "tdx.migration ");
  EXPECT_EQ(FailedWith({.td_migration = 0x10}), "");  // SEPT_VE_DISABLE, as Linux wants it
  EXPECT_EQ(FailedWith({.td_migration = 0x20},
                       "platforms = [\"tdx\"]\n[tdx]\nany_measurement_insecure = true\nallow_migration = true\n"
                       "[intel]\nallowed_advisories = [\"INTEL-SA-00001\"]\n"),
            "");
}

// Bits 8 to 31 bear on security; of those, what is not known may allow anything.
TEST(QuoteVerify, UnknownAttributesAreRefused) {
  EXPECT_EQ(FailedWith({.td_attributes_8_to_15 = 1}), "tdx.attributes ");
  EXPECT_EQ(FailedWith({.td_migration = 1}), "tdx.attributes ");
  EXPECT_EQ(FailedWith({.td_migration = 0xd8}), "");  // LASS, SEPT_VE_DISABLE, PKS and KL
}

TEST(QuoteVerify, CollateralCanComeInTheAnswersOfIntelsService) {
  for (bool tdx : {false, true}) {
    EXPECT_EQ(FailedWith({.tdx = tdx, .version = 4, .as_answers = true}), "");
    EXPECT_EQ(FailedWith({.tdx = tdx, .version = 4, .info_end = kTestNow - 1, .as_answers = true}),
              "tcb_info.dates qe_identity.dates ");
    EXPECT_EQ(FailedWith({.tdx = tdx, .version = 4, .revoked_by_ca = {30}, .as_answers = true}), "pck.revocation ");
    EXPECT_EQ(FailedWith({.tdx = tdx, .version = 4, .platform_status = "Revoked", .as_answers = true}), "tcb.status ");
  }
  EXPECT_EQ(FailedWith({.platform_fmspc = "b0c06f000001", .as_answers = true}), "tcb_info.fmspc ");
  EXPECT_EQ(FailedWith({.collateral_of_sgx = true, .as_answers = true}), "tcb_info.kind ");
}

TEST(QuoteVerify, AMissingAnswerIsNamed) {
  const std::pair<const char*, const char*> parts[] = {{"tcb_info", "tdx/certification/v4/tcb?fmspc=b0c06f000000"},
                                                       {"qe_identity", "tdx/certification/v4/qe/identity"},
                                                       {"signer", "\"Intel SGX TCB Signing\""},
                                                       {"root_crl", "\"Test Root\""},
                                                       {"pck_crl", "\"Test PCK CA\""}};
  for (auto [part, named] : parts) {
    Verdict verdict = Judge({.as_answers = true, .answer_left_out = part});
    EXPECT_EQ(Failed(verdict), "collateral ") << part;
    EXPECT_THAT(Explain(verdict), testing::HasSubstr(named)) << part;
  }
}

TEST(QuoteVerify, TcbInfosOfVersion2AreRead) {
  const IntelFault enclave = {.tdx = false, .version = 3, .tcb_info_version = 2};
  EXPECT_EQ(FailedWith(enclave), "");
  EXPECT_EQ(FailedWith({.tdx = false, .version = 3, .level_svn = 4, .tcb_info_version = 2}), "tcb_info.level ");
  EXPECT_EQ(FailedWith({.tdx = false, .version = 3, .platform_status = "OutOfDate", .tcb_info_version = 2}), "tcb.status ");
  EXPECT_EQ(FailedWith({.tcb_info_version = 2}), "tcb_info.kind ");  // it speaks of no TD
  for (int version : {1, 4}) EXPECT_EQ(FailedWith({.tcb_info_version = version}), "tcb_info.signature ") << version;
}

TEST(QuoteVerify, AListOfIntelsOtherCaSaysNothing) {
  EXPECT_EQ(FailedWith({.list_of_other_ca = true}), "pck.revocation ");
}

TEST(QuoteVerify, SignedJsonIsReadStrictly) {
  EXPECT_EQ(FailedWith({.json_tail = " "}), "");
  EXPECT_EQ(FailedWith({.json_tail = "{}"}), "tcb_info.signature ");
  EXPECT_EQ(FailedWith({.json_repeats = ",\"version\":3"}), "tcb_info.signature qe_identity.signature ");
}

TEST(QuoteVerify, TheFirstLevelThatIsReachedCounts) {
  auto status = [](const IntelFault& fault) { return Judge(fault).unverified_claims().tcb_status; };
  EXPECT_EQ(status({.platform_status = "OutOfDate", .better_level_first = true}), "OutOfDate");
  EXPECT_EQ(FailedWith({.level_pce_svn = 4}), "tcb_info.level ");
}

TEST(QuoteVerify, AnotherFmspcIsRefused) {
  EXPECT_EQ(FailedWith({.platform_fmspc = "b0c06f000001"}), "tcb_info.fmspc ");
}

TEST(QuoteVerify, RevokedCertificatesAreRefused) {
  EXPECT_EQ(FailedWith({.revoked_by_ca = {30}}), "pck.revocation ");
  EXPECT_EQ(FailedWith({.revoked_by_root = {20}}), "pck.revocation ");
  EXPECT_EQ(FailedWith({.revoked_by_root = {40}}), "tcb_info.signature qe_identity.signature ");
  EXPECT_EQ(FailedWith({.revoked_by_ca = {31}}), "");
}

TEST(QuoteVerify, WhatIsNotValidYetIsRefused) {
  EXPECT_EQ(FailedWith({.info_start = kTestNow + 1}), "tcb_info.dates qe_identity.dates ");
  EXPECT_EQ(FailedWith({.list_start = kTestNow + 1}), "pck.revocation ");
  EXPECT_EQ(FailedWith({.pck_start = kTestNow + 1}), "pck.dates ");
}

TEST(QuoteVerify, ExpiredMaterialIsRefused) {
  EXPECT_EQ(FailedWith({.info_end = kTestNow - 1}), "tcb_info.dates qe_identity.dates ");
  EXPECT_EQ(FailedWith({.list_end = kTestNow - 1}), "pck.revocation ");
  EXPECT_EQ(FailedWith({.pck_end = kTestNow - 1}), "pck.dates ");
}

// Every machine's PCK key chains to Intel's root; it must not be able to sign TCB infos, nor the reverse.
TEST(QuoteVerify, CertificatesSignOnlyWhatTheirNameAllows) {
  EXPECT_EQ(FailedWith({.tcb_signer = "Intel SGX PCK Certificate"}), "tcb_info.signature qe_identity.signature ");
  EXPECT_EQ(FailedWith({.pck_name = "Intel SGX TCB Signing"}), "pck.chain ");
}

TEST(QuoteVerify, AnAttestationKeyThatTheQuotingEnclaveDoesNotNameIsRefused) {
  EXPECT_EQ(FailedWith({.break_binding = true}), "quote.attestation_key ");
}

TEST(QuoteVerify, APlatformBelowEveryLevelIsRefused) {
  EXPECT_EQ(FailedWith({.level_svn = 4}), "tcb_info.level ");
  EXPECT_EQ(FailedWith({.tdx_level_svn = 3}), "tcb_info.level ");
}

TEST(QuoteVerify, AnUnknownTdxModuleIsRefused) {
  EXPECT_EQ(FailedWith({.module_id = "TDX_04"}), "tdx.module ");
  EXPECT_EQ(FailedWith({.module_svn = 4}), "tdx.module ");
}

TEST(QuoteVerify, AnotherQuotingEnclaveIsRefused) {
  EXPECT_EQ(FailedWith({.qe_prod = 1}), "qe_identity.match ");
  EXPECT_EQ(FailedWith({.qe_isv_svn = 5}), "qe_identity.match ");
}

TEST(QuoteVerify, CollateralOfAnotherTeeIsRefused) {
  EXPECT_EQ(FailedWith({.collateral_of_sgx = true}), "tcb_info.kind ");
}

TEST(QuoteVerify, OldCollateralCanBeRefusedByItsNumber) {
  EXPECT_EQ(FailedWith({.evaluation_number = 16}, kModuleAdvisory + "min_tcb_evaluation_data_number = 17\n"),
            "tcb_info.evaluation_data_number ");
}

TEST(QuoteVerify, PlatformIdsCanBePinned) {
  EXPECT_EQ(FailedWith({}, kModuleAdvisory + "ppids = [\"" + Repeat("77", 16) + "\"]\n"), "");
  EXPECT_EQ(FailedWith({}, kModuleAdvisory + "ppids = [\"" + Repeat("78", 16) + "\"]\n"), "pck.ppid ");
}

TEST(QuoteVerify, AdvisoriesMustBeAllowedByName) { EXPECT_EQ(FailedWith({}, kPinNothing), "tcb.advisories "); }

TEST(QuoteVerify, TheWorstPartDecidesTheStatus) {
  auto status = [](const IntelFault& fault) { return Judge(fault).unverified_claims().tcb_status; };
  EXPECT_EQ(status({}), "UpToDate");
  EXPECT_EQ(status({.qe_isv_svn = 7}), "OutOfDate");
  EXPECT_EQ(status({.module_status = "OutOfDate"}), "OutOfDate");
  EXPECT_EQ(status({.platform_status = "SWHardeningNeeded", .module_status = "OutOfDate"}), "OutOfDate");
  EXPECT_EQ(status({.platform_status = "ConfigurationNeeded", .qe_status = "OutOfDate"}),
            "OutOfDateConfigurationNeeded");
  EXPECT_EQ(status({.platform_status = "ConfigurationAndSWHardeningNeeded"}), "ConfigurationAndSWHardeningNeeded");
  EXPECT_EQ(status({.qe_status = "Revoked"}), "Revoked");
  EXPECT_THAT(Judge({.qe_isv_svn = 7}).unverified_claims().advisories,
              testing::UnorderedElementsAre("INTEL-SA-00001", "INTEL-SA-00002"));
}

TEST(QuoteVerify, EachStatusNeedsItsOwnPermission) {
  const std::string hw = "allow_hw_config_needed = true\n", sw = "allow_sw_hardening_needed = true\n",
                    old = "allow_outdated_tcb_insecure = true\n";
  const std::pair<const char*, std::string> needed[] = {{"UpToDate", ""},
                                                        {"SWHardeningNeeded", sw},
                                                        {"ConfigurationNeeded", hw},
                                                        {"ConfigurationAndSWHardeningNeeded", hw + sw},
                                                        {"OutOfDate", old},
                                                        {"OutOfDateConfigurationNeeded", hw + old}};
  for (const auto& [status, settings] : needed) {
    EXPECT_EQ(FailedWith({.platform_status = status}), settings.empty() ? "" : "tcb.status ") << status;
    EXPECT_EQ(FailedWith({.platform_status = status}, kModuleAdvisory + settings), "") << status;
  }
  EXPECT_EQ(FailedWith({.platform_status = "Revoked"}, kModuleAdvisory + hw + sw + old), "tcb.status ");
}

TEST(QuoteVerify, MeasurementsMustBePinned) {
  EXPECT_EQ(FailedWith({}, "platforms = [\"tdx\"]\n[intel]\nallowed_advisories = [\"INTEL-SA-00001\"]\n"),
            "tdx.mr_td ");
  const std::string tail = "[intel]\nallowed_advisories = [\"INTEL-SA-00001\"]\n";
  EXPECT_EQ(FailedWith({}, "platforms = [\"tdx\"]\n[tdx]\nmr_td = [\"" + Repeat("51", 48) + "\"]\n" + tail), "");
  EXPECT_EQ(FailedWith({}, "platforms = [\"tdx\"]\n[tdx]\nany_measurement_insecure = true\nrtmr1 = [\"" +
                               Repeat("01", 48) + "\"]\n" + tail),
            "tdx.rtmr1 ");
  const std::string sgx = "platforms = [\"sgx\"]\n[sgx]\n";
  const IntelFault enclave = {.tdx = false, .version = 3};
  EXPECT_EQ(FailedWith(enclave, sgx), "sgx.mrenclave ");
  EXPECT_EQ(FailedWith(enclave, sgx + "mrenclave = [\"" + Repeat("41", 32) + "\"]\n"), "");
  const std::string signer = sgx + "mrsigner = [\"" + Repeat("42", 32) + "\"]\n";
  EXPECT_EQ(FailedWith(enclave, signer + "isv_prod_id = 1\n"), "");
  EXPECT_EQ(FailedWith(enclave, signer + "isv_prod_id = 2\n"), "sgx.isv_prod_id ");
  EXPECT_EQ(FailedWith(enclave, signer + "isv_prod_id = 1\nisv_svn = 2\n"), "sgx.isv_svn ");
}

}  // namespace
}  // namespace soter
