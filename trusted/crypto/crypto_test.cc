// The primitives against published vectors, and each error by name.
#include <gtest/gtest.h>

#include <string>

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/crypto/aead.h"
#include "trusted/crypto/constant_time.h"
#include "trusted/crypto/hash.h"
#include "trusted/crypto/hkdf.h"
#include "trusted/crypto/hmac.h"
#include "trusted/crypto/random.h"
#include "trusted/crypto/x25519.h"

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

TEST(Random, FillsEveryByteAndNeverRepeats) {
  Bytes seen(64);
  Bytes first(64);
  Bytes second(64);
  ASSERT_TRUE(FillRandom(first).ok());
  ASSERT_TRUE(FillRandom(second).ok());
  EXPECT_NE(first, second);
  for (int draw = 0; draw < 16; ++draw) {  // a byte that stays zero in 16 draws is not being filled
    ASSERT_TRUE(FillRandom(first).ok());
    for (size_t i = 0; i < seen.size(); ++i) seen[i] |= first[i];
  }
  for (std::byte byte : seen) EXPECT_NE(byte, std::byte{0});
}

TEST(Hasher, MatchesFips180AndRfc7693OnAbc) {
  EXPECT_EQ(EncodeHex(Digest<Sha256>(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(EncodeHex(Digest<Sha384>(AsBytes("abc"))),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(EncodeHex(Digest<Sha512>(AsBytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(EncodeHex(Digest<Blake2b512>(AsBytes("abc"))),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST(Hasher, PiecesGiveTheDigestOfTheWhole) {
  Sha256 hasher;
  hasher.Update(AsBytes("a"));
  hasher.Update({});
  hasher.Update(AsBytes("bc"));
  EXPECT_EQ(std::move(hasher).Finish(), Digest<Sha256>(AsBytes("abc")));
}

TEST(HmacSha256, MatchesRfc4231) {
  EXPECT_EQ(EncodeHex(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(EncodeHex(HmacSha256(Bytes(131, std::byte{0xaa}),
                                 AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HkdfSha256, MatchesRfc5869) {
  // Case 1, of whose 42 bytes HkdfSha256 gives the first 32; its info is f0..f9.
  Bytes info = Hex("f0f1f2f3f4f5f6f7f8f9");
  auto key = HkdfSha256(Bytes(22, std::byte{0x0b}), Hex("000102030405060708090a0b0c"), AsText(info));
  EXPECT_EQ(EncodeHex(key.Expose()), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  // Case 3: no salt, no info.
  EXPECT_EQ(EncodeHex(HkdfSha256(Bytes(22, std::byte{0x0b}), {}, "").Expose()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

// RFC 7748, 5.2, first vector.
TEST(X25519, MatchesRfc7748) {
  X25519SecretKey scalar(HexArray<32>("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"));
  X25519PublicKey point = HexArray<32>("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  EXPECT_EQ(EncodeHex(X25519Shared(scalar, point).value().Expose()),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
}

TEST(X25519, BothSidesShareOneSecret) {
  X25519SecretKey alice = RandomSecret<32>().value();
  X25519SecretKey bob = RandomSecret<32>().value();
  EXPECT_EQ(EncodeHex(X25519Shared(alice, X25519Public(bob)).value().Expose()),
            EncodeHex(X25519Shared(bob, X25519Public(alice)).value().Expose()));
}

TEST(X25519, PublicKeyOfLowOrderIsMalformed) {
  X25519SecretKey secret = RandomSecret<32>().value();
  EXPECT_EQ(X25519Shared(secret, X25519PublicKey{}).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(X25519Shared(secret, X25519PublicKey{std::byte{1}}).error().code, ErrorCode::kMalformed);
}

TEST(Aead, ChaCha20Poly1305MatchesRfc8439) {
  AeadKey key(HexArray<32>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  AeadNonce nonce = HexArray<12>("070000004041424344454647");
  Bytes associated = Hex("50515253c0c1c2c3c4c5c6c7");
  std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would "
      "be it.";
  Bytes sealed(text.size() + kAeadTagBytes);
  ChaCha20Poly1305(key).Seal(nonce, associated, AsBytes(text), sealed);
  EXPECT_EQ(EncodeHex(std::span(sealed).first(16)), "d31a8d34648e60db7b86afbc53ef7ec2");
  EXPECT_EQ(EncodeHex(std::span(sealed).last(16)), "1ae10b594f09e26a7e902ecbd0600691");
}

TEST(Aead, Aes256GcmMatchesTestCase16OfItsSpecification) {
  AeadKey key(HexArray<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  AeadNonce nonce = HexArray<12>("cafebabefacedbaddecaf888");
  Bytes plaintext = Hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
      "b16aedf5aa0de657ba637b39");
  Bytes sealed(plaintext.size() + kAeadTagBytes);
  Aes256Gcm(key).Seal(nonce, Hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"), plaintext, sealed);
  EXPECT_EQ(EncodeHex(std::span(sealed).last(16)), "76fc6ece0f4e1768cddf8853bb2d551b");
}

template <typename Cipher>
void ExpectEveryChangeIsRefused() {
  AeadKey key(HexArray<32>(std::string(64, '7')));
  AeadNonce nonce = {};
  Cipher cipher(key);
  Bytes sealed(3 + kAeadTagBytes);
  cipher.Seal(nonce, AsBytes("context"), AsBytes("abc"), sealed);
  Bytes opened(3);
  for (std::byte& byte : sealed) {
    byte ^= std::byte{0x80};
    EXPECT_EQ(cipher.Open(nonce, AsBytes("context"), sealed, opened).error().code, ErrorCode::kIntegrity);
    EXPECT_EQ(opened, Bytes(3));  // nothing unauthenticated is left behind
    byte ^= std::byte{0x80};
  }
  EXPECT_EQ(cipher.Open(nonce, AsBytes("another"), sealed, opened).error().code, ErrorCode::kIntegrity);
  nonce[11] = std::byte{1};
  EXPECT_EQ(cipher.Open(nonce, AsBytes("context"), sealed, opened).error().code, ErrorCode::kIntegrity);
  nonce[11] = std::byte{0};
  ASSERT_TRUE(cipher.Open(nonce, AsBytes("context"), sealed, opened).ok());
  EXPECT_EQ(AsText(opened), "abc");
}

TEST(Aead, ChaCha20Poly1305RefusesEveryChange) { ExpectEveryChangeIsRefused<ChaCha20Poly1305>(); }
TEST(Aead, Aes256GcmRefusesEveryChange) { ExpectEveryChangeIsRefused<Aes256Gcm>(); }

TEST(Aead, EmptyMessagesAreAuthenticatedToo) {
  ChaCha20Poly1305 cipher{AeadKey()};
  Bytes sealed(kAeadTagBytes);
  cipher.Seal({}, {}, {}, sealed);
  EXPECT_TRUE(cipher.Open({}, {}, sealed, {}).ok());
  sealed[0] ^= std::byte{1};
  EXPECT_EQ(cipher.Open({}, {}, sealed, {}).error().code, ErrorCode::kIntegrity);
}

TEST(ConstantTimeEqual, ComparesBytesAndLengths) {
  EXPECT_TRUE(ConstantTimeEqual(AsBytes("key"), AsBytes("key")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("key"), AsBytes("kez")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("key"), AsBytes("keys")));
}

}  // namespace
}  // namespace soter
