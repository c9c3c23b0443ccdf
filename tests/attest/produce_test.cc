// From an enclave to whoever relies on it: evidence produced on the dev platform, verified, bound to a key, refused
// where anything was exchanged; and `soter verify` over files.
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "client/verify_command.h"
#include "common/base/hex.h"
#include "tests/attest/test_vectors.h"
#include "trusted/attest/produce.h"
#include "trusted/attest/ra_tls_format.h"
#include "trusted/attest/ra_tls_make.h"

namespace soter {
namespace {

constexpr int64_t kNow = 1750000000;
namespace fs = std::filesystem;

class Dev : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("soter-produce-" + std::to_string(::getpid()));
    fs::create_directory(folder_);
    ASSERT_TRUE(InstallDevKey(folder_ / "dev.key").ok());
    platform_ = OpenDev(io_, folder_ / "dev.key").value();
    std::vector<std::byte> report = platform_->Produce({}).value().report;
    key_ = EncodeHex(ByteView(report).subspan(116, 32));
    measurement_ = EncodeHex(platform_->Measurement().value());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string PolicyText(const std::string& workload = "") const {
    return "platforms = [\"dev\"]\n[dev]\nkeys = [\"" + key_ + "\"]\nmeasurements = [\"" + measurement_ + "\"]\n" +
           workload;
  }
  Verdict Verify(const Evidence& evidence, const std::string& policy_text) const {
    Policy policy = PolicyOf(policy_text);
    return VerifyEvidence(evidence, {policy, {}, kNow});
  }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  fs::path folder_;
  DeviceIo io_;
  std::unique_ptr<Platform> platform_;
  std::string key_, measurement_;
};

const WorkloadClaims kClaims = {.purpose = "key-release",
                                .nonce = std::vector<std::byte>(16, std::byte{5}),
                                .model_digest = std::vector<std::byte>(32, std::byte{9}),
                                .scheme = "soter",
                                .check = "freivalds"};

TEST_F(Dev, EvidenceIsAcceptedAndItsClaimsArePinned) {
  Evidence evidence = ProduceEvidence(*platform_, kClaims).value();
  EXPECT_EQ(Failed(Verify(evidence, PolicyText())), "");
  const std::string nonce(32, '5'), digest = EncodeHex(kClaims.model_digest);
  EXPECT_EQ(Failed(Verify(evidence, PolicyText("[workload]\npurpose = \"key-release\"\nnonce = \"" +
                                               EncodeHex(kClaims.nonce) + "\"\nmodel_digest = \"" + digest +
                                               "\"\nschemes = [\"masked\", \"soter\"]\nchecks = [\"freivalds\"]\n"))),
            "");
  EXPECT_EQ(Failed(Verify(evidence, PolicyText("[workload]\npurpose = \"ra-tls\"\n"))), "workload.purpose ");
  EXPECT_EQ(Failed(Verify(evidence, PolicyText("[workload]\nnonce = \"" + nonce + "\"\n"))), "workload.nonce ");
  EXPECT_EQ(Failed(Verify(evidence, PolicyText("[workload]\nmodel_digest = \"" + nonce + "\"\n"))),
            "workload.model_digest ");
}

TEST_F(Dev, ADowngradeOfSchemeOrCheckIsRefused) {
  WorkloadClaims weak = kClaims;
  weak.scheme = "insecure", weak.check = "none";
  Evidence evidence = ProduceEvidence(*platform_, weak).value();
  EXPECT_EQ(Failed(Verify(evidence, PolicyText("[workload]\nschemes = [\"soter\"]\nchecks = [\"freivalds\"]\n"))),
            "workload.scheme workload.check ");
}

TEST_F(Dev, ClaimsOfAnotherReportAreRefused) {
  Evidence evidence = ProduceEvidence(*platform_, kClaims).value();
  WorkloadClaims other = kClaims;
  other.scheme = "masked";
  evidence.claims = EncodeClaims(other);
  EXPECT_EQ(Failed(Verify(evidence, PolicyText())), "workload.binding ");
  evidence.claims = {std::byte{0xff}};
  EXPECT_EQ(Failed(Verify(evidence, PolicyText())), "workload.binding workload.claims ");
}

TEST_F(Dev, AnotherInstallOrProgramOrPlatformIsRefused) {
  Evidence evidence = ProduceEvidence(*platform_, kClaims).value();
  const std::string zeros(64, '0');
  EXPECT_EQ(Failed(Verify(evidence, "platforms = [\"dev\"]\n[dev]\nkeys = [\"" + zeros + "\"]\nmeasurements = [\"" +
                                        measurement_ + "\"]\n")),
            "dev.key ");
  EXPECT_EQ(Failed(Verify(evidence, "platforms = [\"dev\"]\n[dev]\nkeys = [\"" + key_ + "\"]\nmeasurements = [\"" +
                                        zeros + "\"]\n")),
            "dev.measurement ");
  EXPECT_EQ(Failed(Verify(evidence, "platforms = [\"snp\"]\n[dev]\nkeys = [\"" + key_ + "\"]\nmeasurements = [\"" +
                                        measurement_ + "\"]\n")),
            "platform ");
}

TEST_F(Dev, EveryByteOfADevReportCounts) {
  Evidence evidence = ProduceEvidence(*platform_, kClaims).value();
  for (size_t i = 0; i < evidence.report.size(); ++i) {
    evidence.report[i] ^= std::byte{1};
    EXPECT_FALSE(Verify(evidence, PolicyText()).accepted()) << i;
    evidence.report[i] ^= std::byte{1};
  }
  EXPECT_TRUE(Verify(evidence, PolicyText()).accepted());
}

TEST_F(Dev, EvidenceNeedsAPurposeAndANonceOfUse) {
  EXPECT_EQ(ProduceEvidence(*platform_, {}).error().code, ErrorCode::kInvalidArgument);
  for (size_t size : {0, 15, 65})
    EXPECT_EQ(AttestToJson(*platform_, std::vector<std::byte>(size)).error().code, ErrorCode::kInvalidArgument)
        << size;
}

TEST_F(Dev, RaTlsCertificateIsBoundToItsKey) {
  RaTlsIdentity identity = MakeRaTls(*platform_, kClaims, kNow, 3600).value();
  Policy policy = PolicyOf(PolicyText("[workload]\npurpose = \"ra-tls\"\n"));
  auto failed = [&](const Certificate& certificate, int64_t time_s) {
    return Failed(VerifyRaTls(certificate, {policy, {}, time_s}));
  };
  EXPECT_EQ(failed(identity.certificate, kNow), "");
  EXPECT_EQ(failed(identity.certificate, kNow + 3601), "ra_tls.dates ");
  EXPECT_EQ(MakeRaTls(*platform_, kClaims, kNow, 0).error().code, ErrorCode::kInvalidArgument);
  // The same evidence under another key: what somebody who watched the handshake could make.
  std::vector<std::byte> stolen = identity.certificate.Extension("2.23.133.5.4.9").value().value();
  TlsKey thief = TlsKey::Generate().value();
  Certificate forged = thief.SelfSign({"soter", kNow - 1, kNow + 9, "2.23.133.5.4.9", stolen}).value();
  EXPECT_EQ(failed(forged, kNow), "ra_tls.key ");
  Certificate empty = thief.SelfSign({"soter", kNow - 1, kNow + 9, "2.23.133.5.4.8", stolen}).value();
  EXPECT_EQ(failed(empty, kNow), "ra_tls.format ");
}

// Evidence that an enclave gave for another use, put into a certificate of the key that it names.
TEST_F(Dev, EvidenceOfAnotherPurposeIsNoTlsIdentity) {
  TlsKey key = TlsKey::Generate().value();
  Policy policy = PolicyOf(PolicyText());
  for (const char* purpose : {kRaTlsPurpose, kAttestPurpose, kKeyReleasePurpose}) {
    WorkloadClaims claims = {.purpose = purpose, .public_key_hash = KeyHash::Of(key.PublicKeyDer())};
    std::vector<std::byte> content = EncodeRaTlsEvidence(ProduceEvidence(*platform_, claims).value());
    Certificate certificate = key.SelfSign({"soter", kNow - 1, kNow + 9, kRaTlsEvidenceOid, content}).value();
    EXPECT_EQ(Failed(VerifyRaTls(certificate, {policy, {}, kNow})),
              purpose == std::string(kRaTlsPurpose) ? "" : "ra_tls.purpose ");
  }
}

TEST_F(Dev, EvidenceForAKeyIsRefusedForAnother) {
  TlsKey key = TlsKey::Generate().value(), other = TlsKey::Generate().value();
  Policy policy = PolicyOf(PolicyText());
  WorkloadClaims claims = {.purpose = kAttestPurpose, .public_key_hash = KeyHash::Of(key.PublicKeyDer())};
  Evidence evidence = ProduceEvidence(*platform_, claims).value();
  EXPECT_EQ(Failed(VerifyForKey(evidence, key.PublicKeyDer(), {policy, {}, kNow})), "");
  EXPECT_EQ(Failed(VerifyForKey(evidence, other.PublicKeyDer(), {policy, {}, kNow})), "workload.key ");
  claims.public_key_hash.reset();
  Evidence keyless = ProduceEvidence(*platform_, claims).value();
  EXPECT_EQ(Failed(VerifyForKey(keyless, key.PublicKeyDer(), {policy, {}, kNow})), "workload.key ");
}

TEST_F(Dev, AProtocolMayFixTheReportData) {
  ReportData data = {};
  data[7] = std::byte{1};
  Evidence evidence = ProduceRawEvidence(*platform_, data).value();
  std::vector<std::byte> claims = EncodeClaims(kClaims);
  auto failed = [&](const ReportData& expected, ByteView bound, const std::string& workload = "") {
    Policy policy = PolicyOf(PolicyText(workload));
    return Failed(VerifyBound(evidence, expected, bound, {policy, {}, kNow}));
  };
  const std::string soter = "[workload]\nschemes = [\"soter\"]\n", masked = "[workload]\nschemes = [\"masked\"]\n";
  EXPECT_EQ(failed(data, {}), "");
  EXPECT_EQ(failed({}, {}), "report_data.binding ");
  EXPECT_EQ(failed(data, claims, soter), "");
  EXPECT_EQ(failed(data, claims, masked), "workload.scheme ");
  EXPECT_EQ(failed(data, {}, soter), "workload.claims ");
  EXPECT_EQ(failed(data, ByteView(claims).first(3), soter), "workload.claims ");
  Policy policy = PolicyOf(PolicyText());
  EXPECT_EQ(VerifyBound(evidence, data, {}, {policy, {}, kNow}).Accept().value().claims().device, key_);
}

TEST_F(Dev, VerifyCommandJudgesFiles) {
  std::vector<std::byte> nonce(32, std::byte{7});
  std::string bundle = AttestToJson(*platform_, nonce).value();
  VerifyCommand command = {
      .evidence_path = Write("evidence.json", bundle),
      .policy_path = Write("policy.toml",
                           PolicyText("[workload]\npurpose = \"attest\"\nnonce = \"" + EncodeHex(nonce) + "\"\n")),
      .at = "2025-06-19T10:56:11Z",
      .json = true};
  std::ostringstream out, err;
  EXPECT_EQ(RunVerify(command, out, err), 0) << out.str() << err.str();
  nlohmann::json json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json["accepted"], true);
  EXPECT_EQ(json["platform"], "dev");
  EXPECT_EQ(json["claims"]["measurement"], measurement_);
  EXPECT_EQ(json["claims"]["warning"], "development TEE: a plain process, protects nothing");
  EXPECT_EQ(json["checks"][0]["name"], "platform");

  command.json = false;
  command.policy_path = Write("other.toml", PolicyText("[workload]\npurpose = \"ra-tls\"\n"));
  std::ostringstream refused;
  EXPECT_EQ(RunVerify(command, refused, err), 4);
  EXPECT_NE(refused.str().find("failed  workload.purpose"), std::string::npos) << refused.str();
  EXPECT_NE(refused.str().find("wanted: "), std::string::npos);
  EXPECT_NE(refused.str().find("development TEE: a plain process, protects nothing"), std::string::npos);
}

TEST_F(Dev, VerifyCommandTellsRefusalFromBadUsage) {
  const std::string policy = Write("policy.toml", PolicyText()),
                    good = Write("good.json", AttestToJson(*platform_, std::vector<std::byte>(16)).value());
  auto run = [&](const VerifyCommand& command) {
    std::ostringstream out, err;
    return RunVerify(command, out, err);
  };
  EXPECT_EQ(run({.evidence_path = good, .policy_path = policy}), 0);
  EXPECT_EQ(run({.evidence_path = folder_ / "absent", .policy_path = policy}), 2);
  EXPECT_EQ(run({.evidence_path = good, .policy_path = folder_ / "absent"}), 2);
  EXPECT_EQ(run({.evidence_path = good, .policy_path = Write("bad.toml", "x = 1")}), 2);
  EXPECT_EQ(run({.evidence_path = good, .policy_path = policy, .at = "yesterday"}), 2);
  EXPECT_EQ(run({.evidence_path = good, .collateral_paths = {Write("junk", "junk")}, .policy_path = policy}), 4);
  for (const char* junk : {"", "{}", "{\"format\":1}", "junk", "-----BEGIN X-----", "\x03\x00\x02\x00"})
    EXPECT_EQ(run({.evidence_path = Write("junk", junk), .policy_path = policy}), 4) << junk;
}

}  // namespace
}  // namespace soter
