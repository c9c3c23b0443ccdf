// SGX and TDX evidence of our own making: what Intel's collateral can say and no real vector at hand shows.
#include <cstring>

#include "common/base/hex.h"
#include "common/base/writer.h"
#include "tests/attest/test_authority.h"
#include "tests/attest/test_vectors.h"

namespace soter {
namespace {

struct Fault {
  bool tdx = true;
  uint16_t version = 5;
  uint8_t td_attribute = 0, td_migration = 0, sgx_flags = 5;  // initialised, 64-bit
  uint8_t td_attributes_8_to_15 = 0;
  uint16_t td_body_type = 3;  // of version 5: TDX 1.0, 1.5 or 1.5 extended
  uint8_t module_major = 3;   // 0: a module of TDX 1.0
  uint16_t qe_isv_svn = 8;
  uint8_t qe_prod = 2, qe_flags = 0x11;
  std::string platform_fmspc = "b0c06f000000", platform_status = "UpToDate", module_status = "UpToDate",
              qe_status = "UpToDate", module_id = "TDX_03";
  std::string tcb_signer = "Intel SGX TCB Signing", pck_name = "Intel SGX PCK Certificate";
  uint8_t level_svn = 3, module_svn = 5;
  uint8_t tdx_level_svn = 2;
  int64_t info_start = kTestNow - 100, list_start = kTestNow - 1000, pck_start = kTestNow - kTestYear;
  int64_t info_end = kTestNow + 100, list_end = kTestNow + 100, pck_end = kTestNow + kTestYear;
  std::vector<int64_t> revoked_by_root, revoked_by_ca;
  bool break_binding = false, collateral_of_sgx = false;
  bool list_of_other_ca = false;    // the list of Intel's other CA, properly signed
  std::string json_tail;            // follows the signed JSON, inside the signature
  std::string json_repeats;         // a member that stands in the signed JSON a second time
  uint16_t level_pce_svn = 3;
  bool better_level_first = false;  // which the platform does not reach
  int64_t evaluation_number = 17;
  int tcb_info_version = 3;
  // Collateral as answers of Intel's service, in files of their own, but for the one that is named.
  bool as_answers = false;
  std::string answer_left_out;
};

std::string Repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string Components(uint8_t svn) {
  std::string one = "{\"svn\":" + std::to_string(svn) + "}";
  return "[" + one + Repeat("," + one, 15) + "]";
}

class IntelWorld {
 public:
  Verdict Verify(const Fault& fault, const std::string& policy_toml = kPinNothing) {
    root_ = Issue({.name = "Test Root", .issuer_name = "Test Root", .is_ca = true}, root_key_, root_key_);
    Certificate ca =
        Issue({.name = "Test PCK CA", .issuer_name = "Test Root", .is_ca = true, .serial = 20}, ca_key_, root_key_);
    Certificate pck = Issue({.name = fault.pck_name,
                             .issuer_name = "Test PCK CA",
                             .serial = 30,
                             .not_before = fault.pck_start,
                             .not_after = fault.pck_end,
                             .extensions = {{"1.2.840.113741.1.13.1", PckExtension(fault)}}},
                            pck_key_, ca_key_);
    Collateral collateral = MakeCollateral(fault, ca);
    if (fault.as_answers) collateral = AsAnswers(*collateral.intel, fault);
    TrustAnchors anchors = {.amd = {}, .intel = root_->PublicKeyDigest()};
    Evidence evidence = {.platform = fault.tdx ? PlatformKind::kTdx : PlatformKind::kSgx,
                         .report = MakeQuote(fault, ToPem({pck, ca, *root_}))};
    Policy policy = PolicyOf(policy_toml);
    return VerifyEvidence(evidence, {policy, collateral, kTestNow, anchors});
  }

 private:
  static std::vector<std::byte> Field(const char* suffix_hex, ByteView value) {
    std::vector<std::byte> content = Der(0x06, DecodeHex(std::string("2a864886f84d010d01") + suffix_hex).value());
    content.insert(content.end(), value.begin(), value.end());
    return Der(0x30, content);
  }

  static std::vector<std::byte> PckExtension(const Fault& fault) {
    std::vector<std::byte> tcb, all;
    auto append = [](std::vector<std::byte>& to, const std::vector<std::byte>& more) {
      to.insert(to.end(), more.begin(), more.end());
    };
    for (uint8_t i = 1; i <= 17; ++i) {
      std::byte number[] = {std::byte{2}, std::byte{i}};
      append(tcb, Field(EncodeHex(number).c_str(), DerInteger(3)));
    }
    append(tcb, Field("0212", Der(0x04, std::vector<std::byte>(16, std::byte{3}))));
    append(all, Field("01", Der(0x04, std::vector<std::byte>(16, std::byte{0x77}))));
    append(all, Field("02", Der(0x30, tcb)));
    append(all, Field("03", Der(0x04, std::vector<std::byte>(2))));
    append(all, Field("04", Der(0x04, DecodeHex(fault.platform_fmspc).value())));
    append(all, Field("05", Der(0x0a, std::vector<std::byte>{std::byte{1}})));
    return Der(0x30, all);
  }

  static std::vector<std::byte> SgxBody(uint8_t flags, uint8_t prod, uint16_t svn, ByteView data) {
    std::vector<std::byte> body(384);
    body[48] = std::byte{flags};
    std::memset(body.data() + 64, 0x41, 32);
    std::memset(body.data() + 128, 0x42, 32);
    body[256] = std::byte{prod};
    std::memcpy(body.data() + 258, &svn, 2);
    std::copy(data.begin(), data.end(), body.begin() + 320);
    return body;
  }

  static std::vector<std::byte> TdBody(const Fault& fault) {
    const size_t sizes[] = {584, 648, 885};
    std::vector<std::byte> body(fault.version == 5 ? sizes[fault.td_body_type - 2] : 584);
    std::memset(body.data(), 2, 16);
    body[0] = std::byte{fault.module_svn}, body[1] = std::byte{fault.module_major};
    body[120] = std::byte{fault.td_attribute}, body[123] = std::byte{fault.td_migration};
    body[121] = std::byte{fault.td_attributes_8_to_15};
    std::memset(body.data() + 136, 0x51, 48);
    return body;
  }

  std::vector<std::byte> MakeQuote(const Fault& fault, const std::string& pem) {
    Writer writer;
    writer.WriteNumber<uint16_t>(fault.version), writer.WriteNumber<uint16_t>(2);
    writer.WriteNumber<uint32_t>(fault.tdx ? 0x81 : 0), writer.WriteNumber<uint32_t>(0);
    writer.WriteBytes(DecodeHex("939a7233f79c4ca9940a0db3957f0607").value());
    writer.WriteBytes(std::vector<std::byte>(20));
    std::vector<std::byte> body = fault.tdx ? TdBody(fault) : SgxBody(fault.sgx_flags, 1, 1, {});
    if (fault.version == 5) writer.WriteNumber<uint16_t>(fault.tdx ? fault.td_body_type : 1), writer.WriteCount(body.size());
    writer.WriteBytes(body);
    std::vector<std::byte> point = ak_.Point(), bound = point;
    bound.push_back(std::byte{'a'});
    Sha256::Digest digest = Digest<Sha256>(bound);
    if (fault.break_binding) digest[0] ^= std::byte{1};
    std::vector<std::byte> qe = SgxBody(fault.qe_flags, fault.qe_prod, fault.qe_isv_svn, digest);
    Writer qe_data;
    qe_data.WriteBytes(qe), qe_data.WriteBytes(pck_key_.Sign(qe));
    qe_data.WriteNumber<uint16_t>(1), qe_data.WriteBytes(AsBytes("a"));
    qe_data.WriteNumber<uint16_t>(5), qe_data.WriteString(pem);
    Writer signature;
    signature.WriteBytes(ak_.Sign(writer.bytes())), signature.WriteBytes(point);
    if (fault.version > 3) signature.WriteNumber<uint16_t>(6), signature.WriteCount(qe_data.size());
    signature.WriteBytes(qe_data.bytes());
    writer.WriteCount(signature.size());
    writer.WriteBytes(signature.bytes());
    return std::move(writer).Take();
  }

  static std::string Head(const char* id, int version, const Fault& fault) {
    return std::string("{\"id\":\"") + id + "\",\"version\":" + std::to_string(version) + ",\"issueDate\":\"" +
           FormatTimestamp(fault.info_start) + "\",\"nextUpdate\":\"" + FormatTimestamp(fault.info_end) +
           "\",\"tcbEvaluationDataNumber\":" + std::to_string(fault.evaluation_number) +
           fault.json_repeats;
  }

  // Version 2 is of before TDX, and numbers the components in their names.
  static std::string TcbInfoVersion2(const Fault& fault) {
    std::string head = Head("SGX", 2, fault), numbered;
    head.replace(0, head.find(",") + 1, "{");
    for (int i = 1; i <= 16; ++i)
      numbered += "\"sgxtcbcomp" + std::string(i < 10 ? "0" : "") + std::to_string(i) +
                  "svn\":" + std::to_string(fault.level_svn) + ",";
    return head + ",\"fmspc\":\"B0C06F000000\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbLevels\":[{\"tcb\":{" + numbered +
           "\"pcesvn\":" + std::to_string(fault.level_pce_svn) + "},\"tcbStatus\":\"" + fault.platform_status + "\"}]}";
  }

  // The files that somebody has who asked Intel's service, instead of one file that holds all of it.
  static Collateral AsAnswers(const IntelCollateral& intel, const Fault& fault) {
    Collateral collateral;
    auto add = [&](const char* name, const std::string& file) {
      if (fault.answer_left_out != name) EXPECT_TRUE(AddCollateral(AsBytes(file), collateral).ok()) << name;
    };
    auto answer = [](const char* member, const std::string& json, ByteView signature) {
      return std::string("{\"") + member + "\":" + json + ",\"signature\":\"" + EncodeHex(signature) + "\"}\n";
    };
    add("tcb_info", answer("tcbInfo", intel.tcb_info, intel.tcb_info_signature));
    add("qe_identity", answer("enclaveIdentity", intel.qe_identity, intel.qe_identity_signature));
    TestKey other("P-256");  // a signing certificate of another time, with another key
    std::string chain = ToPem({Issue({.name = kTcbSigningName, .issuer_name = "Test Root"}, other, other)});
    add("signer", chain + ToPem(intel.tcb_info_issuer_chain));
    if (fault.answer_left_out != "root_crl") collateral.revocation_lists.push_back(intel.root_crl);
    if (fault.answer_left_out != "pck_crl") collateral.revocation_lists.push_back(intel.pck_crl);
    return collateral;
  }

  static std::string TcbInfo(const Fault& fault, bool tdx) {
    if (fault.tcb_info_version == 2) return TcbInfoVersion2(fault);
    std::string json =
        Head(tdx ? "TDX" : "SGX", fault.tcb_info_version, fault) + ",\"fmspc\":\"B0C06F000000\",\"pceId\":\"0000\",\"tcbType\":0";
    std::string signer = "\"mrsigner\":\"" + std::string(96, '0') + "\",\"attributes\":\"" + std::string(16, '0') +
                         "\",\"attributesMask\":\"" + std::string(16, 'F') + "\"";
    if (tdx)
      json += ",\"tdxModule\":{" + signer + "},\"tdxModuleIdentities\":[{\"id\":\"" + fault.module_id + "\"," +
              signer + ",\"tcbLevels\":[{\"tcb\":{\"isvsvn\":5},\"tcbStatus\":\"" + fault.module_status +
              "\",\"advisoryIDs\":[\"INTEL-SA-00001\"]}]}]";
    auto level = [&](uint8_t svn, const std::string& status) {
      return "{\"tcb\":{\"sgxtcbcomponents\":" + Components(svn) +
             ",\"pcesvn\":" + std::to_string(fault.level_pce_svn) +
             (tdx ? ",\"tdxtcbcomponents\":" + Components(fault.tdx_level_svn) : "") + "},\"tcbStatus\":\"" + status + "\"}";
    };
    return json + ",\"tcbLevels\":[" + (fault.better_level_first ? level(200, "UpToDate") + "," : "") +
           level(fault.level_svn, fault.platform_status) + "]}" + fault.json_tail;
  }

  static std::string QeIdentity(const Fault& fault, bool tdx) {
    return Head(tdx ? "TD_QE" : "QE", 2, fault) +
           ",\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",\"attributes\":\"11" + std::string(30, '0') +
           "\",\"attributesMask\":\"FB" + std::string(30, 'F') + "\",\"mrsigner\":\"" + Repeat("42", 32) +
           "\",\"isvprodid\":2,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":8},\"tcbStatus\":\"" + fault.qe_status +
           "\"},{\"tcb\":{\"isvsvn\":6},\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-00002\"]}]}";
  }

  Collateral MakeCollateral(const Fault& fault, const Certificate& ca) {
    Certificate signer =
        Issue({.name = fault.tcb_signer, .issuer_name = "Test Root", .serial = 40}, tcb_key_, root_key_);
    bool tdx = fault.tdx && !fault.collateral_of_sgx;
    std::string info = TcbInfo(fault, tdx), identity = QeIdentity(fault, tdx);
    Certificate other_ca =
        Issue({.name = "Test Other CA", .issuer_name = "Test Root", .is_ca = true, .serial = 21}, tcb_key_, root_key_);
    IntelCollateral intel = {
        .pck_crl_issuer_chain = {ca, *root_},
        .root_crl = IssueList(
            {.issuer_name = "Test Root", .serials = fault.revoked_by_root, .this_update = fault.list_start,
             .next_update = fault.list_end}, root_key_),
        .pck_crl = IssueList(
            {.issuer_name = "Test PCK CA", .serials = fault.revoked_by_ca, .this_update = fault.list_start,
             .next_update = fault.list_end}, ca_key_),
        .tcb_info_issuer_chain = {signer, *root_},
        .tcb_info = info,
        .tcb_info_signature = tcb_key_.Sign(AsBytes(info)),
        .qe_identity_issuer_chain = {signer, *root_},
        .qe_identity = identity,
        .qe_identity_signature = tcb_key_.Sign(AsBytes(identity))};
    if (fault.list_of_other_ca) {
      intel.pck_crl_issuer_chain = {other_ca, *root_};
      intel.pck_crl = IssueList({.issuer_name = "Test Other CA", .next_update = fault.list_end}, tcb_key_);
    }
    return {.intel = std::move(intel)};
  }

  TestKey root_key_{"P-256"}, ca_key_{"P-256"}, pck_key_{"P-256"}, tcb_key_{"P-256"}, ak_{"P-256"};
  std::optional<Certificate> root_;
};

const std::string kModuleAdvisory = std::string(kPinNothing) + "[intel]\nallowed_advisories = [\"INTEL-SA-00001\"]\n";

Verdict Judge(const Fault& fault, const std::string& policy = kModuleAdvisory) {
  static IntelWorld world;
  return world.Verify(fault, policy);
}

std::string FailedWith(const Fault& fault, const std::string& policy = kModuleAdvisory) {
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
  const Fault enclave = {.tdx = false, .version = 3, .tcb_info_version = 2};
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
  auto status = [](const Fault& fault) { return Judge(fault).unverified_claims().tcb_status; };
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
  auto status = [](const Fault& fault) { return Judge(fault).unverified_claims().tcb_status; };
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
  const Fault enclave = {.tdx = false, .version = 3};
  EXPECT_EQ(FailedWith(enclave, sgx), "sgx.mrenclave ");
  EXPECT_EQ(FailedWith(enclave, sgx + "mrenclave = [\"" + Repeat("41", 32) + "\"]\n"), "");
  const std::string signer = sgx + "mrsigner = [\"" + Repeat("42", 32) + "\"]\n";
  EXPECT_EQ(FailedWith(enclave, signer + "isv_prod_id = 1\n"), "");
  EXPECT_EQ(FailedWith(enclave, signer + "isv_prod_id = 2\n"), "sgx.isv_prod_id ");
  EXPECT_EQ(FailedWith(enclave, signer + "isv_prod_id = 1\nisv_svn = 2\n"), "sgx.isv_svn ");
}

}  // namespace
}  // namespace soter
