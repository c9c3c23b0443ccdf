// SNP evidence of our own making: Turin, report version 5, revoked and expired certificates, every policy knob.
#include <cstring>

#include "tests/attest/test_authority.h"
#include "tests/attest/test_vectors.h"

namespace soter {
namespace {

struct Fault {
  uint32_t version = 5;
  uint64_t policy = 0x30000;
  uint64_t platform_info = 0;
  uint32_t vmpl = 0, guest_svn = 3, key_info = 0;
  uint8_t family = 0x1a, model = 0x02;
  uint64_t reported = 0x4800000004020301, committed = 0x4800000004020301, current = 0x4800000004020301;
  std::string product = "Turin-B0", leaf_name = "SEV-VCEK";
  std::vector<int64_t> revoked;
  int64_t list_end = kTestNow + 1000;
  int64_t leaf_end = kTestNow + kTestYear;
  uint8_t certified_fmc = 1;
  bool other_chip = false, wrap_chip_id = false, give_list = true, other_list_signer = false, pin_root = true;
};

// A machine of a vendor of our own. All keys are on P-384: AMD's upper two are RSA, which the vectors cover.
class Turin {
 public:
  Turin() : anchors_{.amd = {}, .intel = {}} {}

  Verdict Verify(const Fault& fault, const std::string& policy_toml = kPinNothing) {
    Certificate ark = Issue({.name = "ARK-Turin", .issuer_name = "ARK-Turin", .is_ca = true}, ark_, ark_);
    Certificate ask =
        Issue({.name = "SEV-Turin", .issuer_name = "ARK-Turin", .is_ca = true, .serial = 7}, ask_, ark_);
    Evidence evidence = {.platform = PlatformKind::kSnp, .report = Report(fault)};
    evidence.certificates = {Leaf(fault).ToDer(), ask.ToDer(), ark.ToDer()};
    Collateral collateral;
    if (fault.give_list)
      collateral.revocation_lists.push_back(
          IssueList({.issuer_name = "ARK-Turin", .serials = fault.revoked, .next_update = fault.list_end},
                    fault.other_list_signer ? ask_ : ark_));
    anchors_.amd.clear();
    if (fault.pin_root) anchors_.amd = {{SnpLine::kTurin, ark.PublicKeyDigest()}};
    Policy policy = PolicyOf(policy_toml);
    return VerifyEvidence(evidence, {policy, collateral, kTestNow, anchors_});
  }

 private:
  Certificate Leaf(const Fault& fault) {
    std::vector<std::byte> id(8, std::byte{fault.other_chip ? uint8_t{0xcd} : uint8_t{0xab}});
    if (fault.wrap_chip_id) id = Der(0x04, id);
    return Issue({.name = fault.leaf_name,
                  .issuer_name = "SEV-Turin",
                  .not_after = fault.leaf_end,
                  .extensions = {{"1.3.6.1.4.1.3704.1.2", Der(0x16, AsBytes(fault.product))},
                                 {"1.3.6.1.4.1.3704.1.3.1", DerInteger(3)},
                                 {"1.3.6.1.4.1.3704.1.3.2", DerInteger(2)},
                                 {"1.3.6.1.4.1.3704.1.3.3", DerInteger(4)},
                                 {"1.3.6.1.4.1.3704.1.3.8", DerInteger(0x48)},
                                 {"1.3.6.1.4.1.3704.1.3.9", DerInteger(fault.certified_fmc)},
                                 {"1.3.6.1.4.1.3704.1.4", id}}},
                 leaf_, ask_);
  }

  std::vector<std::byte> Report(const Fault& fault) {
    std::vector<std::byte> report(kSnpReportBytes);
    auto put = [&](size_t offset, auto value) { std::memcpy(report.data() + offset, &value, sizeof(value)); };
    put(0x00, fault.version), put(0x04, fault.guest_svn), put(0x08, fault.policy), put(0x30, fault.vmpl);
    put(0x34, uint32_t{1}), put(0x38, fault.current), put(0x40, fault.platform_info), put(0x48, fault.key_info);
    std::memset(report.data() + 0x90, 0x11, 48);  // measurement
    std::memset(report.data() + 0xc0, 0x22, 32);  // host data
    std::memset(report.data() + 0xe0, 0x33, 48);  // id key digest
    put(0x180, fault.reported), put(0x188, fault.family), put(0x189, fault.model);
    std::memset(report.data() + 0x1a0, 0xab, 8);  // Turin's chip id: eight bytes, then zeros
    put(0x1e0, fault.committed), put(0x1f0, fault.reported);
    std::vector<std::byte> signature = leaf_.Sign(ByteView(report).first(0x2a0));
    std::reverse_copy(signature.begin(), signature.begin() + 48, report.begin() + 0x2a0);
    std::reverse_copy(signature.begin() + 48, signature.end(), report.begin() + 0x2e8);
    return report;
  }

  TestKey ark_{"P-384"}, ask_{"P-384"}, leaf_{"P-384"};
  TrustAnchors anchors_;
};

std::string FailedWith(const Fault& fault, const std::string& policy = kPinNothing) {
  static Turin machine;
  Verdict verdict = machine.Verify(fault, policy);
  return Failed(verdict);
}

TEST(SnpVerify, TurinReportsOfVersions3To5AreAccepted) {
  for (uint32_t version : {3, 4, 5}) EXPECT_EQ(FailedWith({.version = version}), "") << version;
  EXPECT_EQ(FailedWith({.wrap_chip_id = true}), "");
}

TEST(SnpVerify, OtherVersionsAreRefused) {
  for (uint32_t version : {0, 1, 6}) EXPECT_EQ(FailedWith({.version = version}), "snp.format ") << version;
}

TEST(SnpVerify, UnsignedAndUnknownSigningKeysAreRefused) {
  EXPECT_EQ(FailedWith({.key_info = 7 << 2}), "snp.format ");
  EXPECT_EQ(FailedWith({.key_info = 2 << 2}), "snp.format ");
}

TEST(SnpVerify, AReportMustBeSignedByTheKindOfKeyThatItNames) {
  EXPECT_EQ(FailedWith({.key_info = 1 << 2}), "snp.certificate_chain ");
  EXPECT_EQ(FailedWith({.leaf_name = "SEV-VLEK"}), "snp.certificate_chain ");
}

TEST(SnpVerify, ARootThatIsNotPinnedIsRefused) { EXPECT_EQ(FailedWith({.pin_root = false}), "snp.root "); }

TEST(SnpVerify, ARevokedIntermediateIsRefused) { EXPECT_EQ(FailedWith({.revoked = {5, 7}}), "snp.revocation "); }

TEST(SnpVerify, AnotherRevokedSerialIsNot) { EXPECT_EQ(FailedWith({.revoked = {5, 6}}), ""); }

TEST(SnpVerify, AnExpiredOrForgedListIsRefused) {
  EXPECT_EQ(FailedWith({.list_end = kTestNow - 1}), "snp.revocation ");
  EXPECT_EQ(FailedWith({.other_list_signer = true}), "snp.revocation ");
}

TEST(SnpVerify, AMissingListIsSkippedUnlessRequired) {
  EXPECT_EQ(FailedWith({.give_list = false}), "");
  std::string policy =
      "platforms = [\"snp\"]\n[snp]\nany_measurement_insecure = true\nrequire_revocation_lists = true\n";
  EXPECT_EQ(FailedWith({.give_list = false}, policy), "snp.revocation ");
}

TEST(SnpVerify, AnExpiredLeafIsRefused) {
  EXPECT_EQ(FailedWith({.leaf_end = kTestNow - 1}), "snp.certificate_dates ");
}

TEST(SnpVerify, ACertificateForAnotherTcbIsRefused) {
  EXPECT_EQ(FailedWith({.certified_fmc = 2}), "snp.certificate_tcb ");
}

TEST(SnpVerify, ACertificateOfAnotherChipIsRefused) { EXPECT_EQ(FailedWith({.other_chip = true}), "snp.chip_id "); }

TEST(SnpVerify, ProductLinesMustAgree) {
  EXPECT_EQ(FailedWith({.product = "Genoa-B1"}), "snp.product_line ");
  EXPECT_EQ(FailedWith({.family = 0x19}), "snp.product_line ");
}

TEST(SnpVerify, FirmwareThatContradictsItselfIsRefused) {
  EXPECT_EQ(FailedWith({.current = 0x4700000004020301}), "snp.tcb_order ");
}

TEST(SnpVerify, GuestPolicyIsJudged) {
  EXPECT_EQ(FailedWith({.policy = 0x30000 | 1 << 19}), "snp.debug ");
  EXPECT_EQ(FailedWith({.policy = 0x30000 | 1 << 18}), "snp.migration_agent ");
  EXPECT_EQ(FailedWith({.vmpl = 2}), "snp.vmpl ");
}

TEST(SnpVerify, EachPolicySettingRefusesAndAccepts) {
  const std::string top = "platforms = [\"snp\"]\n[snp]\nany_measurement_insecure = true\n";
  auto repeat = [](const char* byte, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += byte;
    return text;
  };
  EXPECT_EQ(FailedWith({}, "platforms = [\"sgx\"]\n[snp]\nany_measurement_insecure = true\n"), "platform ");
  EXPECT_EQ(FailedWith({}, "platforms = [\"snp\"]\n"), "snp.measurement ");
  EXPECT_EQ(FailedWith({}, "platforms = [\"snp\"]\n[snp]\nmeasurements = [\"" + repeat("12", 48) + "\"]\n"),
            "snp.measurement ");
  EXPECT_EQ(FailedWith({}, "platforms = [\"snp\"]\n[snp]\nmeasurements = [\"" + repeat("11", 48) + "\"]\n"), "");
  EXPECT_EQ(FailedWith({}, top + "host_data = \"" + repeat("22", 32) + "\"\n"), "");
  EXPECT_EQ(FailedWith({}, top + "host_data = \"" + repeat("23", 32) + "\"\n"), "snp.host_data ");
  EXPECT_EQ(FailedWith({}, top + "id_key_digests = [\"" + repeat("34", 48) + "\"]\n"), "snp.id_key_digest ");
  EXPECT_EQ(FailedWith({}, top + "chip_ids = [\"" + repeat("ab", 8) + repeat("00", 56) + "\"]\n"), "");
  EXPECT_EQ(FailedWith({}, top + "chip_ids = [\"" + repeat("ac", 8) + repeat("00", 56) + "\"]\n"),
            "snp.chip_allowed ");
  EXPECT_EQ(FailedWith({}, top + "min_guest_svn = 4\n"), "snp.guest_svn ");
  EXPECT_EQ(FailedWith({}, top + "allow_smt = false\n"), "snp.smt ");
  EXPECT_EQ(FailedWith({}, top + "require_alias_check = true\n"), "snp.alias_check ");
  EXPECT_EQ(FailedWith({.platform_info = 1 << 5}, top + "require_alias_check = true\n"), "");
  EXPECT_EQ(FailedWith({}, top + "[snp.min_tcb]\nsnp = 4\nfmc = 1\n"), "");
  EXPECT_EQ(FailedWith({}, top + "[snp.min_tcb]\nsnp = 5\n"), "snp.min_tcb ");
  EXPECT_EQ(FailedWith({.committed = 0x4800000003020301}, top + "[snp.min_tcb]\nsnp = 4\n"), "snp.min_tcb ");
  EXPECT_EQ(FailedWith({}, "report_data = \"" + repeat("01", 64) + "\"\n" + top), "report_data ");
  EXPECT_EQ(FailedWith({}, "report_data = \"" + repeat("00", 64) + "\"\n" + top), "");
  EXPECT_EQ(FailedWith({}, top + "[workload]\npurpose = \"attest\"\n"), "workload.claims ");
}

}  // namespace
}  // namespace soter
