// SNP evidence of our own making: every product line and report version, VCEK and VLEK, revoked and expired
// certificates, every policy knob.
#include <cstring>

#include "tests/attest/test_authority.h"
#include "tests/attest/test_vectors.h"

namespace soter {
namespace {

struct Fault {
  SnpLine line = SnpLine::kTurin;
  uint32_t version = 5;
  uint64_t policy = 0x30000;
  uint64_t platform_info = 0;
  uint32_t vmpl = 0, guest_svn = 3, key_info = 0;
  uint8_t family = 0x1a, model = 0x02;
  uint64_t reported = 0x4800000004020301, committed = 0x4800000004020301, current = 0x4800000004020301;
  std::string product = "Turin-B0", leaf_name = "SEV-VCEK";
  std::string intermediate_name = "SEV-Test";
  std::vector<int64_t> revoked;
  int64_t list_end = kTestNow + 1000;
  int64_t list_start = kTestNow - 1000, leaf_start = kTestNow - kTestYear;
  int64_t leaf_end = kTestNow + kTestYear;
  uint8_t certified_fmc = 1;
  bool other_chip = false, wrap_chip_id = false, give_list = true, other_list_signer = false, pin_root = true;
  bool stale_leaf_first = false;  // another certificate of the same name stands before the right one
  bool stale_issuers_first = false;
  bool chip_id_masked = false;
  bool older_list_too = false;  // which has expired, and revokes what `revoked_before` says
  std::vector<int64_t> revoked_before;
  uint64_t launch = 0x4800000004020301;
};

// A machine of a vendor of our own, whose upper two keys are RSA, as AMD's are.
class Machine {
 public:
  Machine() : anchors_{.amd = {}, .intel = {}} {}

  Verdict Verify(const Fault& fault, const std::string& policy_toml = kPinNothing) {
    Certificate ark = Issue({.name = "ARK-Test", .issuer_name = "ARK-Test", .is_ca = true}, ark_, ark_);
    Certificate ask =
        Issue({.name = fault.intermediate_name, .issuer_name = "ARK-Test", .is_ca = true, .serial = 7}, ask_, ark_);
    Evidence evidence = {.platform = PlatformKind::kSnp, .report = Report(fault)};
    evidence.certificates = {Leaf(fault).ToDer(), ask.ToDer(), ark.ToDer()};
    if (fault.stale_leaf_first)
      evidence.certificates.insert(evidence.certificates.begin(), Leaf(fault, TestKey("P-384")).ToDer());
    if (fault.stale_issuers_first) AddStaleIssuers(fault, evidence);
    Collateral collateral;
    if (fault.give_list)
      collateral.revocation_lists.push_back(
          IssueList({.issuer_name = "ARK-Test", .serials = fault.revoked, .this_update = fault.list_start,
                     .next_update = fault.list_end},
                    fault.other_list_signer ? ask_ : ark_));
    if (fault.older_list_too)
      collateral.revocation_lists.push_back(IssueList({.issuer_name = "ARK-Test", .serials = fault.revoked_before,
                                                       .this_update = kTestNow - 9000, .next_update = kTestNow - 1}, ark_));
    anchors_.amd.clear();
    if (fault.pin_root) anchors_.amd = {{fault.line, ark.PublicKeyDigest()}};
    Policy policy = PolicyOf(policy_toml);
    return VerifyEvidence(evidence, {policy, collateral, kTestNow, anchors_});
  }

 private:
  // Of the right names, and of other keys: what a host may hand over, by mistake or to be in the way.
  static void AddStaleIssuers(const Fault& fault, Evidence& evidence) {
    TestKey ark("P-384"), ask("P-384");
    std::vector<std::vector<std::byte>> stale = {
        Issue({.name = "ARK-Test", .issuer_name = "ARK-Test", .is_ca = true}, ark, ark).ToDer(),
        Issue({.name = fault.intermediate_name, .issuer_name = "ARK-Test", .is_ca = true}, ask, ark).ToDer()};
    evidence.certificates.insert(evidence.certificates.begin(), stale.begin(), stale.end());
  }

  Certificate Leaf(const Fault& fault) { return Leaf(fault, leaf_); }

  Certificate Leaf(const Fault& fault, const TestKey& key) {
    std::vector<std::byte> id(ChipIdBytes(fault), std::byte{fault.other_chip ? uint8_t{0xcd} : uint8_t{0xab}});
    if (fault.wrap_chip_id) id = Der(0x04, id);
    return Issue({.name = fault.leaf_name,
                  .issuer_name = fault.intermediate_name,
                  .not_before = fault.leaf_start,
                  .not_after = fault.leaf_end,
                  .extensions = {{"1.3.6.1.4.1.3704.1.2", Der(0x16, AsBytes(fault.product))},
                                 {"1.3.6.1.4.1.3704.1.3.1", DerInteger(3)},
                                 {"1.3.6.1.4.1.3704.1.3.2", DerInteger(2)},
                                 {"1.3.6.1.4.1.3704.1.3.3", DerInteger(4)},
                                 {"1.3.6.1.4.1.3704.1.3.8", DerInteger(0x48)},
                                 {"1.3.6.1.4.1.3704.1.3.9", DerInteger(fault.certified_fmc)},
                                 {"1.3.6.1.4.1.3704.1.4", id}}},
                 key, ask_);
  }

  static size_t ChipIdBytes(const Fault& fault) { return fault.line == SnpLine::kTurin ? 8 : 64; }

  std::vector<std::byte> Report(const Fault& fault) {
    std::vector<std::byte> report(kSnpReportBytes);
    auto put = [&](size_t offset, auto value) { std::memcpy(report.data() + offset, &value, sizeof(value)); };
    put(0x00, fault.version), put(0x04, fault.guest_svn), put(0x08, fault.policy), put(0x30, fault.vmpl);
    put(0x34, uint32_t{1}), put(0x38, fault.current), put(0x40, fault.platform_info), put(0x48, fault.key_info);
    std::memset(report.data() + 0x90, 0x11, 48);  // measurement
    std::memset(report.data() + 0xc0, 0x22, 32);  // host data
    std::memset(report.data() + 0xe0, 0x33, 48);  // id key digest
    put(0x180, fault.reported), put(0x188, fault.family), put(0x189, fault.model);
    if (!fault.chip_id_masked) std::memset(report.data() + 0x1a0, 0xab, ChipIdBytes(fault));  // Turin: then zeros
    put(0x1e0, fault.committed), put(0x1f0, fault.launch);
    std::vector<std::byte> signature = leaf_.Sign(ByteView(report).first(0x2a0));
    std::reverse_copy(signature.begin(), signature.begin() + 48, report.begin() + 0x2a0);
    std::reverse_copy(signature.begin() + 48, signature.end(), report.begin() + 0x2e8);
    return report;
  }

  TestKey ark_{"RSA"}, ask_{"RSA"}, leaf_{"P-384"};
  TrustAnchors anchors_;
};

std::string FailedWith(const Fault& fault, const std::string& policy = kPinNothing) {
  static Machine machine;
  Verdict verdict = machine.Verify(fault, policy);
  return Failed(verdict);
}

Verdict Judge(const Fault& fault) {
  static Machine machine;
  return machine.Verify(fault);
}

TEST(SnpVerify, TurinReportsOfVersions3To5AreAccepted) {
  for (uint32_t version : {3, 4, 5}) EXPECT_EQ(FailedWith({.version = version}), "") << version;
  EXPECT_EQ(FailedWith({.wrap_chip_id = true}), "");
}

// On Milan and Genoa the TCB has no FMC, SNP and microcode lie in the upper two bytes, and a chip id has 64 bytes.
Fault OlderLine(SnpLine line, uint32_t version) {
  const uint64_t tcb = 0x4804000000000203;
  return {.line = line, .version = version, .family = 0x19,
          .model = static_cast<uint8_t>(line == SnpLine::kMilan ? 0x01 : 0x11),
          .reported = tcb, .committed = tcb, .current = tcb,
          .product = line == SnpLine::kMilan ? "Milan-B0" : "Genoa-B1"};
}

TEST(SnpVerify, EveryLineVersionAndKeyIsAccepted) {
  for (SnpLine line : {SnpLine::kMilan, SnpLine::kGenoa}) {
    for (uint32_t version : {2, 3, 4, 5}) {
      Fault fault = OlderLine(line, version);
      EXPECT_EQ(FailedWith(fault), "") << SnpLineName(line) << version;
      fault.key_info = 1 << 2, fault.leaf_name = "SEV-VLEK", fault.intermediate_name = "SEV-VLEK-Test";
      fault.other_chip = true;  // a VLEK is no chip's
      EXPECT_EQ(FailedWith(fault), "") << "VLEK " << SnpLineName(line) << version;
      EXPECT_EQ(FailedWith(fault, "platforms = [\"snp\"]\n[snp]\nany_measurement_insecure = true\nallow_vlek = false\n"),
                "snp.signing_key ");
    }
  }
  Fault siena = OlderLine(SnpLine::kGenoa, 3);
  siena.product = "Siena-B1", siena.model = 0xa0;
  EXPECT_EQ(FailedWith(siena), "");
}

TEST(SnpVerify, ALineIsNotReadAsAnother) {
  Fault milan = OlderLine(SnpLine::kMilan, 3);
  milan.model = 0x11;
  EXPECT_EQ(FailedWith(milan), "snp.product_line ");
  Fault genoa = OlderLine(SnpLine::kGenoa, 5);
  genoa.model = 0x01;
  EXPECT_EQ(FailedWith(genoa), "snp.product_line ");
  Fault turin = {.line = SnpLine::kMilan};  // Turin's report under Milan's root
  EXPECT_EQ(FailedWith(turin), "snp.product_line snp.certificate_tcb ");
}

TEST(SnpVerify, TheCertificateThatSignedTheReportIsFoundAmongSeveral) {
  EXPECT_EQ(FailedWith({.stale_leaf_first = true}), "");
  EXPECT_EQ(FailedWith({.certified_fmc = 2, .stale_leaf_first = true}), "snp.certificate_tcb ");
}

TEST(SnpVerify, IssuersThatSignedNothingDoNotStandInTheWay) {
  EXPECT_EQ(FailedWith({.stale_issuers_first = true}), "");
  EXPECT_EQ(FailedWith({.pin_root = false, .stale_issuers_first = true}), "snp.root ");
}

// A host can have its firmware leave the chip's id out of reports.
TEST(SnpVerify, AMaskedChipIsKnownByItsCertificate) {
  const std::string id = "abababababababab" + std::string(2 * 56, '0');
  const std::string pinned = "platforms = [\"snp\"]\n[snp]\nany_measurement_insecure = true\nchip_ids = [\"";
  EXPECT_EQ(FailedWith({.chip_id_masked = true}), "");
  EXPECT_EQ(Judge({.chip_id_masked = true}).unverified_claims().device, id);
  EXPECT_EQ(FailedWith({.chip_id_masked = true}, pinned + id + "\"]\n"), "");
  EXPECT_EQ(FailedWith({.other_chip = true, .chip_id_masked = true}, pinned + id + "\"]\n"), "snp.chip_allowed ");
}

TEST(SnpVerify, OnlyAVcekProvesAChip) {
  const std::string pinned = "platforms = [\"snp\"]\n[snp]\nany_measurement_insecure = true\nchip_ids = [\"" +
                             ("abababababababab" + std::string(2 * 56, '0')) + "\"]\n";
  EXPECT_EQ(FailedWith({}, pinned), "");
  EXPECT_EQ(FailedWith({.key_info = 1 << 2, .leaf_name = "SEV-VLEK"}, pinned), "snp.chip_allowed ");
  EXPECT_EQ(Judge({.key_info = 1 << 2, .leaf_name = "SEV-VLEK"}).unverified_claims().device, "");
  EXPECT_EQ(Judge({.other_chip = true}).unverified_claims().device, "");
  EXPECT_EQ(FailedWith({.other_chip = true}, pinned), "snp.chip_id ");
}

TEST(SnpVerify, WhatIsNotValidYetIsRefused) {
  EXPECT_EQ(FailedWith({.list_start = kTestNow + 1}), "snp.revocation ");
  EXPECT_EQ(FailedWith({.leaf_start = kTestNow + 1}), "snp.certificate_dates ");
}

TEST(SnpVerify, UnknownBitsOfTheGuestPolicyAreRefused) {
  EXPECT_EQ(FailedWith({.policy = 0x10000}), "snp.policy_bits ");  // bit 17 is always set
  EXPECT_EQ(FailedWith({.policy = 0x30000 | uint64_t{1} << 26}), "snp.policy_bits ");
  EXPECT_EQ(FailedWith({.policy = 0x30000 | uint64_t{1} << 63}), "snp.policy_bits ");
  EXPECT_EQ(FailedWith({.policy = 0x3330000}), "");  // single socket, CXL, ... all that is known up to bit 25
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

TEST(SnpVerify, AnOlderListBesideACurrentOneStillCounts) {
  EXPECT_EQ(FailedWith({.older_list_too = true}), "");
  EXPECT_EQ(FailedWith({.older_list_too = true, .revoked_before = {7}}), "snp.revocation ");
  EXPECT_EQ(FailedWith({.give_list = false, .older_list_too = true}), "snp.revocation ");
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
  EXPECT_EQ(FailedWith({}, top + "[snp.min_launch_tcb]\nsnp = 4\nfmc = 1\n"), "");
  EXPECT_EQ(FailedWith({.launch = 0x4800000003020301}, top + "[snp.min_launch_tcb]\nsnp = 4\n"), "snp.min_launch_tcb ");
  EXPECT_EQ(FailedWith({.launch = 0x4800000003020301}, top + "[snp.min_tcb]\nsnp = 4\n"), "");
  EXPECT_EQ(FailedWith({.launch = 0x4800000005020301}), "");  // firmware that was not committed can be taken back
  EXPECT_EQ(FailedWith({}, "report_data = \"" + repeat("01", 64) + "\"\n" + top), "report_data ");
  EXPECT_EQ(FailedWith({}, "report_data = \"" + repeat("00", 64) + "\"\n" + top), "");
  EXPECT_EQ(FailedWith({}, top + "[workload]\npurpose = \"attest\"\n"), "workload.claims ");
}

}  // namespace
}  // namespace soter
