// Ed25519, ECDSA and RSA-PSS against published vectors; every verifier refuses each changed input.
#include <gtest/gtest.h>

#include <string>

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/crypto/ecdsa.h"
#include "trusted/crypto/ed25519.h"
#include "trusted/crypto/rsa_pss.h"

namespace soter {
namespace {

using Bytes = std::vector<std::byte>;

Bytes Hex(std::string_view text) { return DecodeHex(text).value(); }

template <size_t kBytes>
std::array<std::byte, kBytes> HexArray(std::string_view text) {
  std::array<std::byte, kBytes> bytes;
  std::ranges::copy(Hex(text), bytes.begin());
  return bytes;
}

// RFC 8032, 7.1, test 2.
constexpr std::string_view kEd25519Seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
constexpr std::string_view kEd25519Public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
constexpr std::string_view kEd25519Signature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
    "387b2eaeb4302aeeb00d291612bb0c00";

TEST(Ed25519, MatchesRfc8032) {
  Ed25519Seed seed(HexArray<32>(kEd25519Seed));
  EXPECT_EQ(EncodeHex(Ed25519Public(seed)), kEd25519Public);
  EXPECT_EQ(EncodeHex(SignEd25519(seed, Hex("72"))), kEd25519Signature);
  EXPECT_TRUE(VerifyEd25519(HexArray<32>(kEd25519Public), Hex("72"), HexArray<64>(kEd25519Signature)).ok());
}

TEST(Ed25519, AnyChangedBitIsAuth) {
  Ed25519PublicKey key = HexArray<32>(kEd25519Public);
  Ed25519Signature signature = HexArray<64>(kEd25519Signature);
  EXPECT_EQ(VerifyEd25519(key, Hex("73"), signature).error().code, ErrorCode::kAuth);
  for (std::byte& byte : signature) {
    byte ^= std::byte{1};
    EXPECT_EQ(VerifyEd25519(key, Hex("72"), signature).error().code, ErrorCode::kAuth);
    byte ^= std::byte{1};
  }
  EXPECT_TRUE(VerifyEd25519(key, Hex("72"), signature).ok());
}

TEST(Ed25519, PublicKeyOfSmallOrderIsAuth) {
  Ed25519PublicKey identity = {std::byte{1}};       // the neutral point: any message would verify
  Ed25519Signature signature = {std::byte{1}};      // R = neutral point, S = 0
  EXPECT_EQ(VerifyEd25519(identity, Hex("72"), signature).error().code, ErrorCode::kAuth);
}

struct EcdsaVector {
  EcdsaKind kind;
  std::string_view key;
  std::string_view signature;
};

// RFC 6979, A.2.5 and A.2.6, message "sample".
constexpr EcdsaVector kEcdsaVectors[] = {
    {EcdsaKind::kP256Sha256,
     "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {EcdsaKind::kP384Sha384,
     "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"
     "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"},
};

TEST(Ecdsa, MatchesRfc6979AndRefusesEveryChange) {
  for (const EcdsaVector& vector : kEcdsaVectors) {
    Bytes key = Hex(vector.key);
    Bytes signature = Hex(vector.signature);
    EXPECT_TRUE(VerifyEcdsa(vector.kind, key, AsBytes("sample"), signature).ok());
    EXPECT_EQ(VerifyEcdsa(vector.kind, key, AsBytes("Sample"), signature).error().code, ErrorCode::kAuth);
    signature.back() ^= std::byte{1};
    EXPECT_EQ(VerifyEcdsa(vector.kind, key, AsBytes("sample"), signature).error().code, ErrorCode::kAuth);
    signature.back() ^= std::byte{1};
    EXPECT_TRUE(VerifyEcdsa(vector.kind, key, AsBytes("sample"), signature).ok());
  }
}

TEST(Ecdsa, ZeroSignatureIsAuth) {
  for (const EcdsaVector& vector : kEcdsaVectors) {
    Bytes zero(Hex(vector.signature).size());
    EXPECT_EQ(VerifyEcdsa(vector.kind, Hex(vector.key), AsBytes("sample"), zero).error().code, ErrorCode::kAuth);
  }
}

TEST(Ecdsa, WrongLengthsAndPointsOffTheCurveAreMalformed) {
  for (const EcdsaVector& vector : kEcdsaVectors) {
    Bytes key = Hex(vector.key);
    Bytes signature = Hex(vector.signature);
    Bytes short_key(key.begin(), key.end() - 1);
    Bytes short_signature(signature.begin(), signature.end() - 1);
    EXPECT_EQ(VerifyEcdsa(vector.kind, short_key, {}, signature).error().code, ErrorCode::kMalformed);
    EXPECT_EQ(VerifyEcdsa(vector.kind, key, {}, short_signature).error().code, ErrorCode::kMalformed);
    key.back() ^= std::byte{1};
    EXPECT_EQ(VerifyEcdsa(vector.kind, key, {}, signature).error().code, ErrorCode::kMalformed);
  }
}

// Made with: openssl dgst -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48 -sign KEY <(printf abc)
constexpr std::string_view kRsaKey =
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100a6be0ba8f4ac663e5001f9e5347932"
    "2bd4ce6836b80524e54a1c010d3f6ce0753337d932d74bb8de84e7d0a127d6d0c9a965d978d8a2e380598c2f70a133cd"
    "8ec2fc2f1a7ddab88d72b72dd61a0cf5b254717569d0ff051c9ceb0be3eb607b86ec0d169aabab2330156ad84eb2b276"
    "ce959f1bed11f4db833a771d71b182cb6723a4dae7fcd85f9464bf12b304df138d90dace2dfe0fa76671b3fe23bdd37a"
    "0cc84a4a4cb8e4ae383452554de5149a80e673a621b63d69eb762cc8c342fc4865263ea89a932dd2a292c7c984569ba1"
    "a0bfa12110ba11905a5fa32bab895913bfd8a193c5c488372f48d1616e91af0271ef344d3eaf377a956c9d06b248f28a"
    "770203010001";
constexpr std::string_view kRsaSignature =
    "9b2b6532d2ff4e2a8609448efa9cee691bab2514e058b89d6831df34cc359919093b747629153451fb30411113c753f2"
    "79ccf3975820bf22c8c565a77260535249eb3dece08319b02b17b663e7ee95969d530a1467586084111a2ba3a4c7f084"
    "7170e585d9de664fbc0650a29baaca3765bbe35576bc8cf190af092a23ff312421640d184461ef4320dee6fa403cad3b"
    "b32a9bcb26c59e419b60daeda05f37abd2df5275a32c6655ad979f850ff49addb8bf73c63fd8d4d13aae1efa151f1d1e"
    "3fe9ce1efcc105fcdef21ba888d4b50b91cba53f6d3bf3d351c237e2a04ed56054fd6717680e7bb7e02e7065b84d0349"
    "f7bb5a056e39d30511d8c8a4762024ee";

TEST(RsaPss, VerifiesWhatOpensslSignedAndRefusesEveryChange) {
  Bytes key = Hex(kRsaKey);
  Bytes signature = Hex(kRsaSignature);
  EXPECT_TRUE(VerifyRsaPss(HashAlgorithm::kSha384, key, AsBytes("abc"), signature).ok());
  EXPECT_EQ(VerifyRsaPss(HashAlgorithm::kSha384, key, AsBytes("abd"), signature).error().code, ErrorCode::kAuth);
  EXPECT_EQ(VerifyRsaPss(HashAlgorithm::kSha256, key, AsBytes("abc"), signature).error().code, ErrorCode::kAuth);
  signature[100] ^= std::byte{1};
  EXPECT_EQ(VerifyRsaPss(HashAlgorithm::kSha384, key, AsBytes("abc"), signature).error().code, ErrorCode::kAuth);
  signature[100] ^= std::byte{1};
  EXPECT_TRUE(VerifyRsaPss(HashAlgorithm::kSha384, key, AsBytes("abc"), signature).ok());
}

TEST(RsaPss, KeysThatAreNotRsaInDerAreMalformed) {
  Bytes key = Hex(kRsaKey);
  Bytes trailing = key;
  trailing.push_back(std::byte{0});
  EXPECT_EQ(VerifyRsaPss(HashAlgorithm::kSha384, {}, {}, {}).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(VerifyRsaPss(HashAlgorithm::kSha384, trailing, {}, {}).error().code, ErrorCode::kMalformed);
  // An X25519 key (RFC 8410) is well formed, but not RSA.
  Bytes x25519 = Hex("302a300506032b656e032100" + std::string(64, '9'));
  EXPECT_EQ(VerifyRsaPss(HashAlgorithm::kSha384, x25519, {}, {}).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
