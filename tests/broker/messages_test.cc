#include "broker/messages.h"

#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "trusted/crypto/ec_key.h"

namespace soter {
namespace {

TEST(AuthRequest, TakesTheVersionAndTheTeesThatAreKnown) {
  for (const char* tee : {"sgx", "tdx", "snp", "dev"}) {
    Json json = {{"version", "0.4.0"}, {"tee", tee}, {"extra-params", ""}};
    EXPECT_EQ(PlatformName(DecodeAuthRequest(DumpJson(json), "0.4.0")->tee), tee);
  }
  EXPECT_TRUE(DecodeAuthRequest(R"({"version":"0.4.0","tee":"dev"})", "0.4.0").ok());
  EXPECT_TRUE(DecodeAuthRequest(R"({"version":"0.4.0","tee":"dev","extra-params":{"x":[]}})", "0.4.0").ok());
}

TEST(AuthRequest, RefusesOthers) {
  for (const char* body : {R"({"version":"0.4.1","tee":"dev"})", R"({"version":"0.4.0","tee":"sample"})",
                           R"({"version":"0.4.0","tee":"dev","extra-params":{"supported-hash-algorithms":[]}})"})
    EXPECT_EQ(DecodeAuthRequest(body, "0.4.0").error().code, ErrorCode::kUnsupported) << body;
  for (const char* body : {"", "[]", R"({"version":"0.4.0"})", R"({"version":4,"tee":"dev"})",
                           R"({"version":"0.4.0","tee":"dev","more":1})", R"({"version":"0.4.0","tee":"dev","extra-params":1})",
                           R"({"version":"0.4.0","tee":"dev","extra-params":{"supported-hash-algorithms":1}})"})
    EXPECT_EQ(DecodeAuthRequest(body, "0.4.0").error().code, ErrorCode::kMalformed) << body;
}

Json GoodAttest() {
  // RFC 7518, appendix C: Bob's key.
  Json key = {{"kty", "EC"},
              {"crv", "P-256"},
              {"alg", "ECDH-ES+A256KW"},
              {"x", "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"},
              {"y", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"}};
  return {{"runtime-data", {{"nonce", "bm9uY2U="}, {"tee-pubkey", key}}},
          {"tee-evidence", {{"primary_evidence", {{"report", ""}}}, {"additional_evidence", ""}}}};
}

// The text was put together by hand from RFC 8785's rules and digested with sha384sum.
TEST(AttestRequest, ReportDataBindsNonceAndKey) {
  AttestRequest request = DecodeAttestRequest(DumpJson(GoodAttest())).value();
  EXPECT_EQ(EncodeHex(*ExpectedReportData(request)),
            "3945187dbb9598b90d6d12b8ef92de71d3470de892e2a2dd"
            "fef59097e5c316440e0697b70072e773109d5950646727fe"
            "00000000000000000000000000000000");
}

TEST(AttestRequest, RefusesEachOtherForm) {
  ASSERT_TRUE(DecodeAttestRequest(DumpJson(GoodAttest())).ok());
  auto refused = [](const char* pointer, const Json& value, ErrorCode code) {
    Json json = GoodAttest();
    json[Json::json_pointer(pointer)] = value;
    Result<AttestRequest> request = DecodeAttestRequest(DumpJson(json));
    ASSERT_FALSE(request.ok()) << pointer;
    EXPECT_EQ(request.error().code, code) << pointer << request.error().message;
  };
  refused("/init-data", {{"format", "toml"}}, ErrorCode::kUnsupported);
  refused("/tee-evidence/additional_evidence", "{}", ErrorCode::kUnsupported);
  refused("/tee-evidence/additional_evidence", nullptr, ErrorCode::kMalformed);
  refused("/tee-evidence/more", 1, ErrorCode::kMalformed);
  refused("/runtime-data/more", 1, ErrorCode::kMalformed);
  refused("/runtime-data/nonce", 1, ErrorCode::kMalformed);
  refused("/runtime-data/tee-pubkey/alg", "RSA-OAEP-256", ErrorCode::kUnsupported);
  refused("/runtime-data/tee-pubkey/d", "AA", ErrorCode::kMalformed);
  refused("/more", 1, ErrorCode::kMalformed);
  EcPrivateKey p384 = EcPrivateKey::Generate(EcCurve::kP384).value();
  refused("/runtime-data/tee-pubkey", EncodeJwk({EcCurve::kP384, p384.public_key()}, kEcdhEsA256Kw),
          ErrorCode::kUnsupported);
  Json null_init = GoodAttest();
  null_init["init-data"] = nullptr;
  EXPECT_TRUE(DecodeAttestRequest(DumpJson(null_init)).ok());
}

TEST(AttestRequest, AKeyMemberWithoutCanonicalFormIsUnsupported) {
  Json json = GoodAttest();
  json["runtime-data"]["tee-pubkey"]["x5t"] = 0.5;
  AttestRequest request = DecodeAttestRequest(DumpJson(json)).value();
  EXPECT_EQ(ExpectedReportData(request).error().code, ErrorCode::kUnsupported);
}

TEST(ResourcePath, HasThreePermittedParts) {
  for (const char* path : {"models/digits/1", "a/b/c", "_a/0.b-c/9", "A/B/C"}) EXPECT_TRUE(IsResourcePath(path)) << path;
  for (const char* path : {"", "a", "a/b", "a/b/", "/a/b", "a//c", "a/b/c/d", "a/../c", "./b/c", "a/-b/c", "a/b/c?d",
                           "a/b/c%20", "a/b/c d", "a/b/\xc3\xa4"})
    EXPECT_FALSE(IsResourcePath(path)) << path;
  EXPECT_TRUE(IsResourcePath("a/b/" + std::string(64, 'c')));
  EXPECT_FALSE(IsResourcePath("a/b/" + std::string(65, 'c')));
}

}  // namespace
}  // namespace soter
