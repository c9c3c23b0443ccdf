// Key agreement, key derivation, key wrap and signatures against published examples; every refusal by name.
#include "trusted/crypto/ec_key.h"

#include <gtest/gtest.h>

#include "common/base/base64.h"
#include "common/base/hex.h"
#include "trusted/crypto/concat_kdf.h"
#include "trusted/crypto/ecdsa.h"
#include "trusted/crypto/key_wrap.h"

namespace soter {
namespace {

using Bytes = std::vector<std::byte>;

Bytes Hex(std::string_view text) { return DecodeHexAnyCase(text).value(); }
Bytes Url(std::string_view text) { return DecodeBase64(text, Base64::kUrl).value(); }

Bytes Join(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes Copy(const SecretBytes& secret) { return {secret.Expose().begin(), secret.Expose().end()}; }

AeadKey CountingKey() {
  AeadKey key;
  for (size_t i = 0; i < 32; ++i) key.Expose()[i] = static_cast<std::byte>(i);
  return key;
}

// RFC 7518, appendix C.
const Bytes kAlicePublic = Join(Url("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"),
                                Url("SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"));
const Bytes kAliceScalar = Url("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
const Bytes kBobPublic = Join(Url("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"),
                              Url("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"));
const Bytes kBobScalar = Url("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");

TEST(EcKey, AgreementAndDerivationMatchRfc7518AppendixC) {
  EcPrivateKey alice = EcPrivateKey::FromScalar(EcCurve::kP256, kAliceScalar, kAlicePublic).value();
  EcPrivateKey bob = EcPrivateKey::FromScalar(EcCurve::kP256, kBobScalar, kBobPublic).value();
  SecretBytes shared = alice.Agree(kBobPublic).value();
  EXPECT_EQ(EncodeHex(shared.Expose()), "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4");
  EXPECT_EQ(Copy(bob.Agree(kAlicePublic).value()), Copy(shared));
  ConcatKdfInfo info = {.algorithm = "A128GCM", .party_u = AsBytes("Alice"), .party_v = AsBytes("Bob")};
  EXPECT_EQ(Copy(ConcatKdf(shared.Expose(), info, 16)), Url("VqqN6vgjbSBcIijNcacQGg"));
}

TEST(ConcatKdf, LongerKeysTakeMoreRoundsAndEveryInputCounts) {
  Bytes secret(32, std::byte{7});
  auto derive = [&](const ConcatKdfInfo& info, size_t size) { return Copy(ConcatKdf(secret, info, size)); };
  EXPECT_EQ(derive({.algorithm = "a"}, 80).size(), 80u);
  EXPECT_NE(derive({.algorithm = "a"}, 32), derive({.algorithm = "b"}, 32));
  EXPECT_NE(derive({.algorithm = "a", .party_u = AsBytes("x")}, 32), derive({.algorithm = "a", .party_v = AsBytes("x")}, 32));
  Bytes longer = derive({.algorithm = "a"}, 64);
  longer.resize(32);
  EXPECT_NE(derive({.algorithm = "a"}, 32), longer) << "the length of the key is part of what is hashed";
}

TEST(KeyWrap, MatchesRfc3394) {
  Bytes key = Hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
  Bytes wrapped = Hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
  EXPECT_EQ(WrapKey(CountingKey(), key), wrapped);  // 4.6
  EXPECT_EQ(Copy(UnwrapKey(CountingKey(), wrapped).value()), key);
  EXPECT_EQ(WrapKey(CountingKey(), Hex("00112233445566778899AABBCCDDEEFF")),
            Hex("64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"));  // 4.3
}

TEST(KeyWrap, AnyChangedBitIsAuthAndWrongLengthsAreMalformed) {
  Bytes wrapped = WrapKey(CountingKey(), Bytes(32, std::byte{9}));
  for (size_t bit = 0; bit < 8 * wrapped.size(); ++bit) {
    Bytes changed = wrapped;
    changed[bit / 8] ^= std::byte(1 << bit % 8);
    EXPECT_EQ(UnwrapKey(CountingKey(), changed).error().code, ErrorCode::kAuth);
  }
  EXPECT_TRUE(UnwrapKey(CountingKey(), wrapped).ok());
  for (size_t size : {0, 8, 16, 23, 39, 41, 1040})
    EXPECT_EQ(UnwrapKey(CountingKey(), Bytes(size)).error().code, ErrorCode::kMalformed) << size;
}

class EveryCurve : public ::testing::TestWithParam<EcCurve> {};
INSTANTIATE_TEST_SUITE_P(Curves, EveryCurve, ::testing::Values(EcCurve::kP256, EcCurve::kP384, EcCurve::kP521));

TEST_P(EveryCurve, BothSidesAgreeAndKeysSurviveTheirText) {
  EcPrivateKey a = EcPrivateKey::Generate(GetParam()).value(), b = EcPrivateKey::Generate(GetParam()).value();
  EXPECT_EQ(a.public_key().size(), 2 * EcCoordinateBytes(GetParam()));
  EXPECT_EQ(Copy(a.Agree(b.public_key()).value()), Copy(b.Agree(a.public_key()).value()));
  EXPECT_NE(Copy(a.Agree(b.public_key()).value()), Copy(a.Agree(a.public_key()).value()));
  SecretBytes pem = a.ToPem();
  EcPrivateKey read = EcPrivateKey::FromPem(GetParam(), AsText(pem.Expose())).value();
  EXPECT_EQ(read.public_key(), a.public_key());
  EXPECT_EQ(Copy(read.Agree(b.public_key()).value()), Copy(a.Agree(b.public_key()).value()));
}

TEST_P(EveryCurve, PointsOffTheCurveAreMalformed) {
  EcPrivateKey key = EcPrivateKey::Generate(GetParam()).value();
  Bytes point = key.public_key();
  EXPECT_TRUE(CheckEcPoint(GetParam(), point).ok());
  point.back() ^= std::byte{1};
  EXPECT_EQ(CheckEcPoint(GetParam(), point).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(key.Agree(point).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(key.Agree(Bytes(point.size())).error().code, ErrorCode::kMalformed);
  point.pop_back();
  EXPECT_EQ(key.Agree(point).error().code, ErrorCode::kMalformed);
}

TEST_P(EveryCurve, ASignatureIsOfItsKeyAndMessage) {
  if (GetParam() == EcCurve::kP521) GTEST_SKIP() << "nothing here verifies signatures on P-521";
  EcdsaKind kind = GetParam() == EcCurve::kP256 ? EcdsaKind::kP256Sha256 : EcdsaKind::kP384Sha384;
  EcPrivateKey key = EcPrivateKey::Generate(GetParam()).value(), other = EcPrivateKey::Generate(GetParam()).value();
  for (int i = 0; i < 40; ++i) {  // short r and s have to be padded
    Bytes signature = key.Sign(AsBytes("message"));
    ASSERT_EQ(signature.size(), 2 * EcCoordinateBytes(GetParam()));
    EXPECT_TRUE(VerifyEcdsa(kind, key.public_key(), AsBytes("message"), signature).ok());
    EXPECT_EQ(VerifyEcdsa(kind, key.public_key(), AsBytes("Message"), signature).error().code, ErrorCode::kAuth);
    EXPECT_EQ(VerifyEcdsa(kind, other.public_key(), AsBytes("message"), signature).error().code, ErrorCode::kAuth);
  }
}

TEST(EcKey, AScalarOfAnotherKeyIsMalformed) {
  EXPECT_TRUE(EcPrivateKey::FromScalar(EcCurve::kP256, kBobScalar, kBobPublic).ok());
  for (const Bytes& scalar : {kAliceScalar, Bytes(32), Bytes(32, std::byte{0xff}), Bytes(31)})
    EXPECT_EQ(EcPrivateKey::FromScalar(EcCurve::kP256, scalar, kBobPublic).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(EcPrivateKey::FromScalar(EcCurve::kP384, kBobScalar, kBobPublic).error().code, ErrorCode::kMalformed);
}

TEST(EcKey, TextThatIsNoKeyIsMalformed) {
  SecretBytes pem = EcPrivateKey::Generate(EcCurve::kP256).value().ToPem();
  std::string text(AsText(pem.Expose()));
  EXPECT_TRUE(EcPrivateKey::FromPem(EcCurve::kP256, text).ok());
  EXPECT_EQ(EcPrivateKey::FromPem(EcCurve::kP384, text).error().code, ErrorCode::kMalformed);
  for (const std::string& wrong : {std::string(), text.substr(0, text.size() / 2), std::string(5000, 'A')})
    EXPECT_EQ(EcPrivateKey::FromPem(EcCurve::kP256, wrong).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
