// Every byte of every vector, changed one at a time, makes the verdict a refusal; the restored bytes are accepted
// again. Nothing is exempt but what MayChange lists, with the reason.
#include "common/base/hex.h"
#include "tests/attest/test_vectors.h"
#include "trusted/jose/json.h"

namespace soter {
namespace {

struct Case {
  const char* file;
  std::vector<std::string> collateral;
  const char* time;
};

const Case kCases[] = {
    {"gsg_attestation.bin", {"gsg_vcek.der", "gsg_milan.pem"}, "2025-06-01T00:00:00Z"},
    {"tr_test-report.bin", {"tr_test-vcek.der", "tr_milan.pem"}, "2025-06-01T00:00:00Z"},
    {"tr_test-vlek-report.bin", {"tr_test-vlek.der", "tr_milan.pem"}, "2025-06-01T00:00:00Z"},
    {"ph_sgx_quote", {"ph_sgx_quote_collateral.json"}, "2025-07-01T00:00:00Z"},
    {"ph_tdx_quote", {"ph_tdx_quote_collateral.json"}, "2025-07-01T00:00:00Z"},
    {"tr_occlum_quote.dat", {}, "2025-06-01T00:00:00Z"},
    {"tr_tdx_quote_4.dat", {}, "2025-06-01T00:00:00Z"},
    {"tr_tdx_quote_5.dat", {}, "2025-06-01T00:00:00Z"},
    {"ratls_gramine-cert.pem", {}, "2023-02-22T16:30:00Z"},
    {"ratls_rats-tls-cert.pem", {}, "2023-02-22T16:30:00Z"},
};

// A policy that allows all that may be allowed: what it still refuses is refused for its bytes.
Policy Permissive() {
  Policy policy = PolicyOf(kPinNothing);
  policy.snp.allow_debug_insecure = policy.snp.allow_migration_agent = true;
  policy.sgx.allow_debug_enclave_insecure = policy.tdx.allow_debug_insecure = true;
  policy.intel = {.allow_outdated_tcb_insecure = true,
                  .allow_hw_config_needed = true,
                  .allow_sw_hardening_needed = true,
                  .allow_missing_collateral_insecure = true,
                  .allowed_advisories = {"INTEL-SA-00289", "INTEL-SA-00615"}};
  return policy;
}

class Mutation : public testing::TestWithParam<Case> {};

TEST_P(Mutation, EveryByteOfTheEvidenceCounts) {
  SKIP_WITHOUT_VECTORS();
  const Case& test = GetParam();
  const Collateral collateral = CollateralOf(test.collateral);
  const Policy policy = Permissive();
  std::vector<std::byte> bytes = ReadVector(test.file);
  auto accepted = [&] { return VerifyBytes(bytes, collateral, policy, test.time).accepted(); };
  ASSERT_TRUE(accepted());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::byte flip{static_cast<uint8_t>(1u << i % 8)};
    bytes[i] ^= flip;
    EXPECT_FALSE(accepted()) << test.file << ", byte " << i;
    bytes[i] ^= flip;
  }
  EXPECT_TRUE(accepted());
}

TEST_P(Mutation, EveryTruncationIsRefused) {
  SKIP_WITHOUT_VECTORS();
  const Case& test = GetParam();
  const Collateral collateral = CollateralOf(test.collateral);
  std::vector<std::byte> bytes = ReadVector(test.file);
  // Zeros after a quote, and the end of a PEM text's last line, stand for nothing.
  auto stands_for_nothing = [](std::byte b) { return b == std::byte{0} || b == std::byte{'\n'}; };
  while (stands_for_nothing(bytes.back())) bytes.pop_back();
  for (size_t size = 0; size < bytes.size(); size += 7)
    EXPECT_FALSE(VerifyBytes(ByteView(bytes).first(size), collateral, Permissive(), test.time).accepted()) << size;
}

INSTANTIATE_TEST_SUITE_P(Vectors, Mutation, testing::ValuesIn(kCases), [](const auto& named) {
  std::string name = named.param.file;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

// Collateral: every field of the JSON, one character at a time.
TEST(CollateralMutation, EveryCharacterOfIntelsCollateralCounts) {
  SKIP_WITHOUT_VECTORS();
  const Policy policy = Permissive();
  for (auto [evidence, file] : {std::pair("ph_sgx_quote", "ph_sgx_quote_collateral.json"),
                                std::pair("ph_tdx_quote", "ph_tdx_quote_collateral.json")}) {
    const std::vector<std::byte> quote = ReadVector(evidence), original = ReadVector(file);
    auto accepted = [&](ByteView collateral_bytes) {
      Collateral collateral;
      return AddCollateral(collateral_bytes, collateral).ok() &&
             VerifyBytes(quote, collateral, policy, "2025-07-01T00:00:00Z").accepted();
    };
    ASSERT_TRUE(accepted(original)) << file;
    std::vector<std::byte> bytes = original;
    size_t survived = 0;
    for (size_t i = 0; i < bytes.size(); i += 3) {
      bytes[i] ^= std::byte{4};
      survived += accepted(bytes);
      bytes[i] = original[i];
    }
    EXPECT_EQ(survived, 0u) << file;
  }
}

// The same collateral as Intel's service would have given it: two answers, a chain, two lists.
std::vector<std::string> Answers(const char* file) {
  Json packed = ParseJson(AsText(ReadVector(file))).value();
  auto text = [&](const char* name) { return packed[name].get<std::string>(); };
  auto list = [&](const char* name) { return std::string(AsText(DecodeHex(text(name)).value())); };
  return {R"({"tcbInfo":)" + text("tcb_info") + R"(,"signature":")" + text("tcb_info_signature") + "\"}",
          R"({"enclaveIdentity":)" + text("qe_identity") + R"(,"signature":")" + text("qe_identity_signature") + "\"}",
          text("tcb_info_issuer_chain"), list("root_ca_crl"), list("pck_crl")};
}

TEST(CollateralMutation, EveryCharacterOfTheServicesAnswersCounts) {
  SKIP_WITHOUT_VECTORS();
  const Policy policy = Permissive();
  const std::vector<std::byte> quote = ReadVector("ph_tdx_quote");
  std::vector<std::string> files = Answers("ph_tdx_quote_collateral.json");
  auto accepted = [&] {
    Collateral collateral;
    for (const std::string& file : files)
      if (!AddCollateral(AsBytes(file), collateral).ok()) return false;
    return VerifyBytes(quote, collateral, policy, "2025-07-01T00:00:00Z").accepted();
  };
  ASSERT_TRUE(accepted());
  size_t survived = 0;
  // The chain's last block is the root, of which the quote's own copy is used.
  const size_t end[] = {files[0].size(), files[1].size(), files[2].find("-----END"), files[3].size(), files[4].size()};
  for (size_t f = 0; f < files.size(); ++f)
    for (size_t i = 0; i < end[f]; i += 5) {
      files[f][i] ^= 4;
      survived += accepted();
      files[f][i] ^= 4;
    }
  EXPECT_EQ(survived, 0u);
  EXPECT_TRUE(accepted());
}

TEST(CollateralMutation, EveryByteOfAnSnpCertificateCounts) {
  SKIP_WITHOUT_VECTORS();
  const std::vector<std::byte> report = ReadVector("tr_test-report.bin"), original = ReadVector("tr_test-vcek.der");
  const std::vector<std::byte> chain = ReadVector("tr_milan.pem");
  std::vector<std::byte> leaf = original;
  auto accepted = [&] {
    Collateral collateral;
    return AddCollateral(chain, collateral).ok() && AddCollateral(leaf, collateral).ok() &&
           VerifyBytes(report, collateral, Permissive(), "2025-06-01T00:00:00Z").accepted();
  };
  ASSERT_TRUE(accepted());
  for (size_t i = 0; i < leaf.size(); ++i) {
    leaf[i] ^= std::byte{1};
    EXPECT_FALSE(accepted()) << "byte " << i;
    leaf[i] = original[i];
  }
  EXPECT_TRUE(accepted());
}

}  // namespace
}  // namespace soter
