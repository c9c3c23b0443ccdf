// The small formats: TOML, policies, timestamps, CBOR, DER, PEM.
#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "trusted/attest/cbor.h"
#include "trusted/attest/verify/policy.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/attest/verify/toml.h"
#include "trusted/attest/workload_claims.h"
#include "trusted/crypto/certificate.h"
#include "trusted/crypto/der_reader.h"

namespace soter {
namespace {

TEST(Toml, ReadsWhatPoliciesNeed) {
  TomlFile file = ParseToml(
                      "# first\r\nplatforms = [\"a\", # why\n  \"b\\\"\\\\\\n\\t\",\n]\n\n[t.u] # table\n n=-12\nyes "
                      "= true\nno=false\n"
                      "numbers = [ 1, 2 ]\nempty = []")
                      .value();
  std::vector<std::string> names;
  ASSERT_TRUE(file[""].TakeStrings("platforms", names).ok());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b\"\\\n\t"}));
  TomlTable& table = file["t.u"];
  int64_t n = 0;
  bool yes = false, no = true;
  std::vector<int64_t> numbers, empty = {9};
  ASSERT_TRUE(table.TakeInteger("n", n).ok() && table.TakeBool("yes", yes).ok() && table.TakeBool("no", no).ok());
  ASSERT_TRUE(table.TakeIntegers("numbers", numbers).ok() && table.TakeIntegers("empty", empty).ok());
  EXPECT_EQ(n, -12);
  EXPECT_TRUE(yes && !no && empty.empty());
  EXPECT_EQ(numbers, (std::vector<int64_t>{1, 2}));
  EXPECT_TRUE(table.ExpectEmpty().ok());
}

TEST(Toml, WhatItDoesNotKnowIsRefusedByLine) {
  for (const char* text : {"\na = 1.5",
                           "\na = 01",
                           "\na = +1",
                           "\na = 1_0",
                           "\na = 'x'",
                           "\na = \"x",
                           "\na = \"\\u0041\"",
                           "\na.b = 1",
                           "\na = {b = 1}",
                           "\na = [1 2]",
                           "\na = [1, \"b\"]",
                           "\na = [[1]]",
                           "\na = nan",
                           "\n[a",
                           "\n[[a]]",
                           "\n[]",
                           "\na",
                           "\na =",
                           "\n= 1",
                           "\na = 1 b = 2",
                           "\na = 99999999999999999999",
                           "\na = [",
                           "\na = \"x\ry\"",
                           "\na = [,]",
                           "\na = [1,,2]",
                           "\na = tru"}) {
    Result<TomlFile> file = ParseToml(text);
    ASSERT_FALSE(file.ok()) << text;
    EXPECT_EQ(file.error().code, ErrorCode::kMalformed);
    EXPECT_TRUE(file.error().message.starts_with("line 2: ")) << text << ": " << file.error().message;
  }
}

TEST(Toml, NothingMayBeThereTwice) {
  EXPECT_EQ(ParseToml("a = 1\na = 2").error().code, ErrorCode::kMalformed);
  EXPECT_EQ(ParseToml("[a]\n[b]\n[a]").error().code, ErrorCode::kMalformed);
}

TEST(Policy, MistakesAreRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "platforms must name"},
      {"platforms = []", "platforms must name"},
      {"platforms = [\"sev\"]", "none of dev, sgx, tdx, snp"},
      {"platforms = \"snp\"", "an array of strings"},
      {"platforms = [\"snp\"]\n[snpp]", "[snpp] is none of"},
      {"platforms = [\"snp\"]\n[snp]\nmeasurement = []", "measurement is not a setting"},
      {"platforms = [\"snp\"]\n[snp]\nmeasurements = [\"ab\"]", "96 hexadecimal digits"},
      {"platforms = [\"snp\"]\n[snp]\nallow_smt = 1", "true or false"},
      {"platforms = [\"snp\"]\n[snp.min_tcb]\nsnp = 256", "0 to 255"},
      {"platforms = [\"sgx\"]\n[sgx]\nmrsigner = "
       "[\"0000000000000000000000000000000000000000000000000000000000000000\"]",
       "set isv_prod_id"},
  };
  for (auto [text, message] : cases) {
    Result<Policy> policy = ParsePolicy(text);
    ASSERT_FALSE(policy.ok()) << text;
    EXPECT_EQ(policy.error().code, ErrorCode::kInvalidArgument) << text;
    EXPECT_NE(policy.error().message.find(message), std::string::npos) << policy.error().message;
  }
}

TEST(Policy, WhatIsEmptyIsNotTakenForAny) {
  for (const char* setting :
       {"report_data = \"\"", "[workload]\nschemes = []", "[workload]\nchecks = []", "[workload]\npurpose = \"\"",
        "[workload]\nnonce = \"\"", "[snp]\nmeasurements = []", "[snp]\nchip_ids = []", "[snp]\nhost_data = \"\"",
        "[tdx]\nrtmr0 = []", "[intel]\nppids = []"}) {
    Result<Policy> policy = ParsePolicy(std::string("platforms = [\"snp\"]\n") + setting);
    ASSERT_FALSE(policy.ok()) << setting;
    EXPECT_EQ(policy.error().code, ErrorCode::kInvalidArgument) << setting;
    EXPECT_NE(policy.error().message.find("is empty"), std::string::npos) << policy.error().message;
  }
}

TEST(Timestamp, OneFormOnly) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00Z").value(), 0);
  EXPECT_EQ(ParseTimestamp("2024-02-29T12:00:00Z").value(), 1709208000);
  EXPECT_EQ(FormatTimestamp(1709208000), "2024-02-29T12:00:00Z");
  for (const char* text :
       {"", "2025-06-19", "2025-06-19 10:56:11Z", "2025-06-31T00:00:00Z", "2025-02-29T00:00:00Z",
        "2025-06-19T24:00:00Z", "2025-06-19T10:56:11", "2025-06-19T10:56:11+00:00", "2025-13-01T00:00:00Z"})
    EXPECT_EQ(ParseTimestamp(text).error().code, ErrorCode::kMalformed) << text;
}

Status ReadClaims(const char* hex) {
  Result<WorkloadClaims> claims = DecodeClaims(DecodeHex(hex).value());
  return claims.ok() ? Status() : Status(claims.error());
}

TEST(Claims, RoundTripAndUnknownKeys) {
  WorkloadClaims claims = {.purpose = "attest",
                           .nonce = {std::byte{1}},
                           .public_key_hash = KeyHash::Of(AsBytes("key")),
                           .model_digest = std::vector<std::byte>(32, std::byte{7}),
                           .scheme = "soter",
                           .check = "freivalds"};
  std::vector<std::byte> encoded = EncodeClaims(claims);
  WorkloadClaims again = DecodeClaims(encoded).value();
  EXPECT_EQ(EncodeClaims(again), encoded);
  EXPECT_TRUE(again.public_key_hash->Matches(AsBytes("key")));
  EXPECT_FALSE(again.public_key_hash->Matches(AsBytes("kez")));
  EXPECT_TRUE(ReadClaims("a16178f6").ok());                      // {"x": null}
  EXPECT_TRUE(ReadClaims("a1617883018202f93c00a1616101").ok());  // nested array, float, map
}

TEST(Claims, MalformedOnesAreRefused) {
  for (const char* hex : {"", "a0ff", "80", "a161", "a16178", "bf6178f6ff", "a1617861", "b801616101",
                          "a26161016161f6", "a16161818181818181818101", "a1656e6f6e63656161", "a1656e6f6e636558ff00",
                          "a161785f4101ff", "a161789bffffffffffffffff", "a16178bbffffffffffffffff",
                          "a161785bffffffffffffffff", "a16b7075626b65792d6861736841f6"})
    EXPECT_EQ(ReadClaims(hex).error().code, ErrorCode::kMalformed) << hex;
}

TEST(Claims, AKeyHashIsASha2OfItsLength) {
  EXPECT_EQ(ReadClaims("a16b7075626b65792d6861736844820541aa").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(ReadClaims("a16b7075626b65792d6861736844820141aa").error().code, ErrorCode::kMalformed);
}

TEST(Der, OnlyShortestFormsAreRead) {
  auto integer = [](const char* hex) {
    std::vector<std::byte> der = DecodeHex(hex).value();
    return DerReader(der).ReadSmallInteger();
  };
  EXPECT_EQ(integer("0201ff").ok(), false);
  EXPECT_EQ(integer("020200ff").value(), 255);
  EXPECT_EQ(integer("020300ffff").value(), 65535);
  for (const char* hex :
       {"", "02", "0200", "0202007f", "028101ff", "02820001ff", "0280", "0203010000", "0401ff", "0205010203"})
    EXPECT_EQ(integer(hex).error().code, ErrorCode::kMalformed) << hex;
}

TEST(Pem, OneLayoutOnly) {
  EXPECT_EQ(ReadPem("-----BEGIN X-----\nAAAA\n-----END X-----\n")->size(), 1u);
  EXPECT_EQ(ReadPem("\r\n-----BEGIN X-----\r\nAAAA\r\n-----END X-----\n\n-----BEGIN Y-----\n-----END Y-----")->size(),
            2u);
  for (const char* text :
       {"x", "-----BEGIN X-----\nAAAA\n", "-----BEGIN X-----\nAAAA\n-----END Y-----\n",
        "-----BEGIN X-----\nAAA\n-----END X-----\n", "-----BEGIN X-----\nAAAA\nAAAA\n-----END X-----\n",
        "-----BEGIN X-----\n\nAAAA\n-----END X-----\n", "-----BEGIN -----\n-----END -----\n",
        "-----BEGIN X-----\nAA AA\n-----END X-----\n", " -----BEGIN X-----\n-----END X-----\n"})
    EXPECT_EQ(ReadPem(text).error().code, ErrorCode::kMalformed) << text;
}

TEST(Certificates, OtherBytesAreMalformed) {
  for (const char* text : {"", "0", "not a certificate"}) {
    EXPECT_EQ(Certificate::FromDer(AsBytes(text)).error().code, ErrorCode::kMalformed);
    EXPECT_EQ(RevocationList::FromDer(AsBytes(text)).error().code, ErrorCode::kMalformed);
  }
}

}  // namespace
}  // namespace soter
