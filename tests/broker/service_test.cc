// The protocol with a clock of our own and evidence of SNP machines of our own: what time does, what a debug guest or old
// firmware gets, and that nothing is released twice when many ask at once.
#include "broker/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "broker/audit_log.h"
#include "common/base/base64.h"
#include "common/base/hex.h"
#include "tests/attest/intel_world.h"
#include "tests/broker/snp_machine.h"
#include "trusted/jose/jcs.h"
#include "trusted/jose/jwe.h"
#include "trusted/tee/platform.h"

namespace soter {
namespace {

constexpr char kPath[] = "models/digits/3";

std::string SnpPolicyText(const std::string& snp, const std::string& release = "") {
  return "platforms = [\"snp\"]\n[snp]\nmeasurements = [\"" + [] {
    std::string hex;
    for (int i = 0; i < 48; ++i) hex += "11";
    return hex;
  }() + "\"]\n" + snp + "\n[release]\n" + release + "\n";
}

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "soter-service-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(directory_ + "/collateral");
    store_.emplace(Store::Create(directory_ + "/broker.db", now_).value());
    token_key_.emplace(EcPrivateKey::Generate(EcCurve::kP256).value());
    Restart();
  }
  ~ServiceTest() override { std::filesystem::remove_all(directory_); }

  void Restart() {
    service_ = std::make_unique<Service>(Store::Open(directory_ + "/broker.db").value(), *token_key_,
                                         ServiceSettings{.collateral_directory = directory_ + "/collateral",
                                                         .now_s = [this] { return now_.load(); },
                                                         .report = [](const std::string&) {},
                                                         .anchors = anchors_});
  }

  void Offer(const std::string& policy, const std::string& path = kPath) {
    Resource resource = {.path = path, .name = "digits", .version = 3, .digest = std::string(64, 'd'),
                         .identity = "AGE-SECRET-KEY-1", .signer = "RW", .min_scheme = "soter", .min_check = "freivalds",
                         .policy = policy};
    ASSERT_TRUE(store_->Transact([&] { return store_->PutResource(resource); }).ok());
  }

  // Enclave is one that attests; what it says can be changed.
  struct Enclave {
    EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
    std::string cookie, nonce, token;
  };

  HttpResponse Ask(const char* method, const std::string& target, const std::string& cookie, const std::string& body) {
    return service_->Handle({.method = method, .target = target, .cookie = cookie, .body = body, .peer = "test"});
  }

  void Auth(Enclave& enclave, const std::string& tee = "snp") {
    HttpResponse response =
        Ask("POST", "/kbs/v0/auth", "", R"({"version":"0.4.0","tee":")" + tee + R"(","extra-params":""})");
    ASSERT_EQ(response.status, 200);
    enclave.cookie = response.set_cookie.substr(0, response.set_cookie.find(';'));
    enclave.nonce = ParseJson(response.body).value()["nonce"];
  }

  static Json KeyOf(const Enclave& enclave) { return EncodeJwk({EcCurve::kP256, enclave.key.public_key()}, kEcdhEsA256Kw); }

  // What evidence for the session and key of `enclave` must hold.
  static ReportData ReportDataFor(const Enclave& enclave) {
    Json bound = {{"additional-evidence", ""}, {"nonce", enclave.nonce}, {"tee-pubkey", KeyOf(enclave)}};
    Sha384::Digest digest = Digest<Sha384>(AsBytes(CanonicalJson(bound).value()));
    ReportData report_data = {};
    std::ranges::copy(digest, report_data.begin());
    return report_data;
  }

  static std::string BodyWith(const Enclave& enclave, const Json& evidence) {
    return DumpJson({{"runtime-data", {{"nonce", enclave.nonce}, {"tee-pubkey", KeyOf(enclave)}}},
                     {"tee-evidence", {{"primary_evidence", evidence}, {"additional_evidence", ""}}}});
  }

  std::string AttestBody(const Enclave& enclave, const SnpMachine::Guest& guest) {
    return BodyWith(enclave, machine_.Evidence(guest, ByteView(ReportDataFor(enclave)).first(48)));
  }

  int AttestWith(Enclave& enclave, const Json& evidence) {
    HttpResponse response = Ask("POST", "/kbs/v0/attest", enclave.cookie, BodyWith(enclave, evidence));
    if (response.status == 200) enclave.token = ParseJson(response.body).value()["token"];
    return response.status;
  }

  // Evidence of a kind of TEE as its protocol has it. The development TEE is this process.
  Json EvidenceOf(const std::string& tee, const ReportData& report_data) {
    if (tee == "snp") return machine_.Evidence({}, ByteView(report_data).first(48));
    if (tee == "dev") return {{"report", EncodeBase64(dev_->Produce(report_data)->report, Base64::kPadded)}};
    IntelWorld::Machine intel = intel_.Make({.tdx = tee == "tdx", .version = 4, .report_data = report_data});
    Json evidence = {{"quote", EncodeBase64(intel.evidence.report, Base64::kPadded)}};
    if (tee == "tdx") evidence["cc_eventlog"] = nullptr;
    return evidence;
  }

  std::string PolicyFor(const std::string& tee) {
    std::string key = EncodeHex(ByteView(dev_->Produce({})->report).subspan(116, 32));  // docs/spec/attestation.md, 2.4
    return "platforms = [\"" + tee + "\"]\n[" + tee + "]\nany_measurement_insecure = true\n" +
           (tee == "dev" ? "keys = [\"" + key + "\"]\n" : "") +
           "[intel]\nallowed_advisories = [\"INTEL-SA-00001\"]\n[release]\n";
  }

  void GiveCollateral(const std::string& tee) {
    std::ofstream(directory_ + "/collateral/" + tee + ".json")
        << intel_.PackedCollateral({.tdx = tee == "tdx", .version = 4});
  }

  // Attest returns the status, and takes the token.
  int Attest(Enclave& enclave, const SnpMachine::Guest& guest = {}) {
    Auth(enclave);
    HttpResponse response = Ask("POST", "/kbs/v0/attest", enclave.cookie, AttestBody(enclave, guest));
    if (response.status == 200) enclave.token = ParseJson(response.body).value()["token"];
    return response.status;
  }

  HttpResponse Get(const Enclave& enclave, const std::string& path = kPath) {
    return service_->Handle({.method = "GET",
                             .target = "/kbs/v0/resource/" + path,
                             .authorization = "Bearer " + enclave.token,
                             .peer = "test"});
  }

  // The reason in the last entry of the log, and the checks that failed.
  std::string LastReason() {
    Json last;
    EXPECT_TRUE(store_->ReadLog([&](const std::string& entry) -> Status {
      last = TRY(ParseJson(entry));
      return {};
    }).ok());
    return last.value("reason", "") + last.value("policies", Json()).dump();
  }

  // Refused with this guest or policy, and accepted with the good one.
  void ExpectRefused(const SnpMachine::Guest& guest, const std::string& policy, const char* check) {
    Offer(policy);
    Enclave enclave;
    EXPECT_EQ(Attest(enclave, guest), 401) << check;
    EXPECT_NE(LastReason().find(check), std::string::npos) << LastReason();
    Offer(SnpPolicyText(""));
    EXPECT_EQ(Attest(enclave), 200) << check << LastReason();
    EXPECT_EQ(Get(enclave).status, 200);
  }

  std::atomic<int64_t> now_ = kTestNow;
  std::string directory_;
  SnpMachine machine_;
  IntelWorld intel_;
  TrustAnchors anchors_ = {.amd = machine_.anchors().amd, .intel = intel_.anchors().intel};
  DeviceIo io_;
  std::unique_ptr<Platform> dev_ = OpenDevOnce(io_).value();
  std::optional<Store> store_;
  std::optional<EcPrivateKey> token_key_;
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceTest, AnSnpGuestGetsWhatItsKeyOpens) {
  Offer(SnpPolicyText("", "lease_starts = 3\nlease_days = 2\nexpires = \"2025-06-16T00:00:00Z\""));
  Enclave enclave;
  ASSERT_EQ(Attest(enclave), 200) << LastReason();
  HttpResponse response = Get(enclave);
  ASSERT_EQ(response.status, 200);
  Json resource = ParseJson(AsText(DecryptJwe(enclave.key, response.body)->Expose())).value();
  EXPECT_EQ(resource["identity"], "AGE-SECRET-KEY-1");
  EXPECT_EQ(resource["lease"], (Json{{"starts", 3}, {"not-after", "2025-06-16T00:00:00Z"}})) << "not beyond the policy";
  Enclave other;
  EXPECT_FALSE(DecryptJwe(other.key, response.body).ok());
}

// Each kind of evidence opens its session to its key, and no other: not once more, not for a nonce or a key of somebody else.
TEST_F(ServiceTest, EveryKindOfEvidenceIsBoundToItsSessionAndItsKey) {
  for (const char* tee : {"sgx", "tdx"}) GiveCollateral(tee);
  for (const char* tee : {"sgx", "tdx", "snp", "dev"}) {
    Offer(PolicyFor(tee));
    Enclave enclave, later, other;
    Auth(enclave, tee), Auth(later, tee), Auth(other, tee);
    other.nonce = later.nonce, other.cookie = later.cookie;  // whoever is in between, with a key of its own
    Json evidence = EvidenceOf(tee, ReportDataFor(enclave));
    EXPECT_EQ(AttestWith(enclave, evidence), 200) << tee << LastReason();
    EXPECT_EQ(Get(enclave).status, 200) << tee;
    EXPECT_EQ(AttestWith(enclave, evidence), 401) << tee << ": the challenge was used";
    EXPECT_EQ(AttestWith(later, evidence), 401) << tee << ": for another nonce";
    EXPECT_NE(LastReason().find("report_data.binding"), std::string::npos) << tee << LastReason();
    Auth(later, tee), other.nonce = later.nonce, other.cookie = later.cookie;
    EXPECT_EQ(AttestWith(other, EvidenceOf(tee, ReportDataFor(later))), 401) << tee << ": for another key";
    EXPECT_NE(LastReason().find("report_data.binding"), std::string::npos) << tee << LastReason();
  }
}

TEST_F(ServiceTest, EvidenceOfOneKindDoesNotPassForAnother) {
  GiveCollateral("sgx");
  Offer(PolicyFor("sgx"));
  Enclave enclave;
  Auth(enclave, "tdx");
  Json quote = {{"quote", EvidenceOf("sgx", ReportDataFor(enclave))["quote"]}, {"cc_eventlog", nullptr}};
  EXPECT_EQ(AttestWith(enclave, quote), 401);
  EXPECT_NE(LastReason().find("quote.format"), std::string::npos) << LastReason();
}

TEST_F(ServiceTest, DebugGuestsOldFirmwareAndOtherProgramsAreRefused) {
  ExpectRefused({.policy = 0x30000 | 1 << 19}, SnpPolicyText(""), "snp.debug");
  ExpectRefused({.measurement = 0x12}, SnpPolicyText(""), "snp.measurement");
  ExpectRefused({.vmpl = 1}, SnpPolicyText(""), "snp.vmpl");
  ExpectRefused({}, SnpPolicyText("[snp.min_tcb]\nsnp = 5"), "snp.min_tcb");
  ExpectRefused({}, SnpPolicyText("chip_ids = [\"" + std::string(128, 'c') + "\"]"), "snp.chip_allowed");
}

TEST_F(ServiceTest, NewFirmwareSatisfiesARaisedMinimum) {
  Offer(SnpPolicyText("[snp.min_tcb]\nsnp = 5"));
  Enclave enclave;
  EXPECT_EQ(Attest(enclave, {.firmware = 5}), 200) << LastReason();
}

TEST_F(ServiceTest, EvidenceOfATeeThatNoPolicyNamesIsRefused) {
  Offer("platforms = [\"sgx\"]\n[snp]\nany_measurement_insecure = true\n");
  Enclave enclave;
  EXPECT_EQ(Attest(enclave), 401);
  EXPECT_NE(LastReason().find("platform"), std::string::npos);
}

TEST_F(ServiceTest, WithoutAnyPolicyNobodyGetsAToken) {
  Enclave enclave;
  EXPECT_EQ(Attest(enclave), 401);
}

TEST_F(ServiceTest, AChallengeExpires) {
  Offer(SnpPolicyText(""));
  for (int64_t later : {Sessions::kChallengeSeconds, Sessions::kChallengeSeconds - 1}) {
    now_ = kTestNow;
    Enclave enclave;
    Auth(enclave);
    std::string body = AttestBody(enclave, {});
    now_ += later;
    EXPECT_EQ(Ask("POST", "/kbs/v0/attest", enclave.cookie, body).status, later < Sessions::kChallengeSeconds ? 200 : 401);
  }
}

TEST_F(ServiceTest, ATokenExpiresAndOutlivesARestart) {
  Offer(SnpPolicyText(""));
  Enclave enclave;
  ASSERT_EQ(Attest(enclave), 200);
  Restart();
  now_ += Sessions::kTokenSeconds - 1;
  EXPECT_EQ(Get(enclave).status, 200);
  now_ += 1;
  EXPECT_EQ(Get(enclave).status, 401);
}

TEST_F(ServiceTest, ATokenOfAnotherBrokerIsRefused) {
  Offer(SnpPolicyText(""));
  Enclave enclave;
  ASSERT_EQ(Attest(enclave), 200);
  std::optional<EcPrivateKey> own = token_key_;
  token_key_.emplace(EcPrivateKey::Generate(EcCurve::kP256).value());
  Restart();
  EXPECT_EQ(Get(enclave).status, 401);
  token_key_ = own;
  Restart();
  EXPECT_EQ(Get(enclave).status, 200);
}

TEST_F(ServiceTest, APolicyExpiresToTheSecond) {
  Offer(SnpPolicyText("", "expires = \"2025-06-15T15:07:00Z\""));  // kTestNow + 20
  Enclave enclave;
  ASSERT_EQ(Attest(enclave), 200);
  now_ += 19;
  EXPECT_EQ(Get(enclave).status, 200);
  now_ += 1;
  EXPECT_EQ(Get(enclave).status, 403);
}

TEST_F(ServiceTest, ManyAtOnceGetNoMoreThanThereIs) {
  Offer(SnpPolicyText("", "activations = 5"));
  std::vector<Enclave> enclaves(16);
  for (Enclave& enclave : enclaves) ASSERT_EQ(Attest(enclave), 200);
  std::atomic<int> released = 0;
  std::vector<std::thread> threads;
  for (Enclave& enclave : enclaves)
    threads.emplace_back([&] { released += Get(enclave).status == 200; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(released, 5);
}

TEST_F(ServiceTest, WhereTheLogCannotBeWrittenNothingIsReleased) {
  Offer(SnpPolicyText(""));
  Enclave enclave;
  ASSERT_EQ(Attest(enclave), 200);
  Database database = Database::Open(directory_ + "/broker.db", Database::Mode::kExisting).value();
  ASSERT_TRUE(database.Execute("CREATE TRIGGER full BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'full'); END").ok());
  EXPECT_EQ(Get(enclave).status, 503);
  Enclave second;
  EXPECT_EQ(Attest(second), 503);
  ASSERT_TRUE(database.Execute("DROP TRIGGER full").ok());
  EXPECT_EQ(Get(enclave).status, 200);
  ASSERT_TRUE(store_->Transact([&]() -> Status {
    EXPECT_EQ(TRY(store_->CountActivations(kPath, "")), 1u) << "the failed one was not counted";
    return {};
  }).ok());
}

TEST_F(ServiceTest, AttestsComeAtABoundedRate) {
  Offer(SnpPolicyText(""));
  Enclave enclave;
  int busy = 0;
  for (int i = 0; i < 601; ++i) {
    Auth(enclave);
    busy += Ask("POST", "/kbs/v0/attest", enclave.cookie, "{}").status == 503;
  }
  EXPECT_EQ(busy, 1);
  now_ += 60;
  EXPECT_EQ(Attest(enclave), 200);
}

TEST_F(ServiceTest, CollateralThatCannotBeReadStopsTheBrokerNotTheRules) {
  Offer(SnpPolicyText(""));
  std::filesystem::create_directory(directory_ + "/collateral/sub");  // passed over
  Enclave enclave;
  EXPECT_EQ(Attest(enclave), 200);
  std::FILE* file = std::fopen((directory_ + "/collateral/x.pem").c_str(), "w");
  std::fputs("nonsense", file);
  std::fclose(file);
  EXPECT_EQ(Attest(enclave), 503);
}

}  // namespace
}  // namespace soter
