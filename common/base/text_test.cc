// Base64, hexadecimal and bech32: round trips, and every refusal by name.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/base/base64.h"
#include "common/base/bech32.h"
#include "common/base/bytes.h"
#include "common/base/hex.h"

namespace soter {
namespace {

using Bytes = std::vector<std::byte>;

Bytes ToBytes(const std::vector<uint8_t>& numbers) {
  std::span<const std::byte> bytes = std::as_bytes(std::span(numbers));
  return Bytes(bytes.begin(), bytes.end());
}

TEST(Base64, MatchesRfc4648) {
  EXPECT_EQ(EncodeBase64(AsBytes("foobar"), Base64::kPadded), "Zm9vYmFy");
  EXPECT_EQ(EncodeBase64(AsBytes("fooba"), Base64::kPadded), "Zm9vYmE=");
  EXPECT_EQ(EncodeBase64(AsBytes("foob"), Base64::kPadded), "Zm9vYg==");
  EXPECT_EQ(EncodeBase64(AsBytes("foob"), Base64::kRaw), "Zm9vYg");
  EXPECT_EQ(EncodeBase64(AsBytes("\xff\xef"), Base64::kUrl), "_-8");
}

RC_GTEST_PROP(Base64, DecodeInvertsEncode, (const std::vector<uint8_t>& numbers)) {
  Bytes bytes = ToBytes(numbers);
  for (Base64 kind : {Base64::kPadded, Base64::kRaw, Base64::kUrl}) {
    RC_ASSERT(DecodeBase64(EncodeBase64(bytes, kind), kind).value() == bytes);
  }
}

RC_GTEST_PROP(Base64, WhatDecodesIsCanonical, (const std::string& text)) {
  Result<Bytes> bytes = DecodeBase64(text, Base64::kRaw);
  if (bytes.ok()) RC_ASSERT(EncodeBase64(*bytes, Base64::kRaw) == text);
}

TEST(Base64, WhatIsNotCanonicalIsMalformed) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "Zg==Zg==", "Z g=", "Zg==\n", "Zm9-"}) {
    EXPECT_FALSE(DecodeBase64(text, Base64::kPadded).ok()) << text;
  }
  for (const char* text : {"Zg==", "Zh", "Z", "Zm9vY", "Zm9_"}) {
    EXPECT_EQ(DecodeBase64(text, Base64::kRaw).error().code, ErrorCode::kMalformed) << text;
  }
}

TEST(Base64, MoreThanTheBufferHoldsIsMalformed) {
  std::byte two[2];
  EXPECT_EQ(DecodeBase64To("Zm9v", Base64::kRaw, two).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(DecodeBase64To("Zm8", Base64::kRaw, two).value(), 2u);
}

RC_GTEST_PROP(Hex, DecodeInvertsEncode, (const std::vector<uint8_t>& numbers)) {
  Bytes bytes = ToBytes(numbers);
  RC_ASSERT(DecodeHex(EncodeHex(bytes)).value() == bytes);
}

TEST(Hex, AnyCaseIsTakenOnlyWhereAskedFor) {
  EXPECT_EQ(DecodeHexAnyCase("00fFA5").value(), DecodeHex("00ffa5").value());
  EXPECT_EQ(DecodeHexAnyCase("0G").error().code, ErrorCode::kMalformed);
}

TEST(Hex, OddLengthAndForeignCharactersAreMalformed) {
  for (const char* text : {"0", "0g", "0G", "AB", " 0"}) {
    EXPECT_EQ(DecodeHex(text).error().code, ErrorCode::kMalformed) << text;
  }
}

TEST(Bech32, AcceptsTheVectorsOfBip173) {
  for (const char* text : {"A12UEL5L", "a12uel5l", "?1ezyfcl",
                           "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"}) {
    EXPECT_TRUE(DecodeBech32(text).ok()) << text;
  }
}

RC_GTEST_PROP(Bech32, DecodeInvertsEncode, (const std::vector<uint8_t>& numbers)) {
  Bytes bytes = ToBytes(numbers);
  Bech32 decoded = DecodeBech32(EncodeBech32("age", bytes)).value();
  RC_ASSERT(decoded.prefix == "age");
  RC_ASSERT(decoded.data == bytes);
}

TEST(Bech32, EveryMistypedCharacterIsMalformed) {
  std::string text = EncodeBech32("age", AsBytes("thirty-two bytes make an age key"));
  for (char& c : text) {
    char saved = std::exchange(c, c == 'q' ? 'p' : 'q');
    EXPECT_EQ(DecodeBech32(text).error().code, ErrorCode::kMalformed) << text;
    c = saved;
  }
  EXPECT_TRUE(DecodeBech32(text).ok());
}

TEST(Bech32, EachRefusalNamesItsReason) {
  auto message = [](const std::string& text) { return DecodeBech32(text).error().message; };
  EXPECT_NE(message("a12UEL5L").find("case"), std::string::npos);
  EXPECT_NE(message("a 12uel5l").find("not bech32"), std::string::npos);
  EXPECT_NE(message("a1bbbbbb").find("not bech32"), std::string::npos);
  EXPECT_NE(message("uel5l").find("no prefix"), std::string::npos);
  EXPECT_NE(message("1uel5l").find("no prefix"), std::string::npos);
  EXPECT_NE(message("a1uel5l").find("no checksum"), std::string::npos);
  EXPECT_NE(message("a12uel5q").find("checksum"), std::string::npos);
  EXPECT_NE(message("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw" + std::string(kMaxBech32Chars, 'q')).find("long"),
            std::string::npos);
}

}  // namespace
}  // namespace soter
