// minisign keys and signatures: round trips, peers, and every refusal by name.
#include "trusted/seal/minisign.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/base/base64.h"
#include "common/base/bytes.h"
#include "trusted/seal/test_peers.h"

namespace soter {
namespace {

class Minisign : public testing::Test {
 protected:
  MinisignSignature Sign(std::string_view message, std::string_view comment = "name=digits") {
    return SignDigest(key_, Digest<Blake2b512>(AsBytes(message)), comment).value();
  }
  ErrorCode Refusal(const MinisignSignature& signature) {
    return VerifyMessage(public_key_, signature, AsBytes("model")).error().code;
  }

  MinisignSecretKey key_ = MinisignSecretKey::Generate().value();
  MinisignPublicKey public_key_ = key_.Public();
};

TEST_F(Minisign, WhatWasSignedVerifies) {
  MinisignSignature signature = Sign("model");
  EXPECT_TRUE(VerifyComment(public_key_, signature).ok());
  EXPECT_TRUE(VerifyDigest(public_key_, signature, Digest<Blake2b512>(AsBytes("model"))).ok());
  EXPECT_TRUE(VerifyMessage(public_key_, signature, AsBytes("model")).ok());
}

TEST_F(Minisign, AnotherMessageIsAuth) {
  EXPECT_EQ(VerifyMessage(public_key_, Sign("model"), AsBytes("Model")).error().code, ErrorCode::kAuth);
}

TEST_F(Minisign, AnotherSignerIsAuthAndNamesBoth) {
  MinisignPublicKey other = MinisignSecretKey::Generate().value().Public();
  Error error = VerifyComment(other, Sign("model")).error();
  EXPECT_EQ(error.code, ErrorCode::kAuth);
  EXPECT_NE(error.message.find(MinisignKeyIdText(public_key_.id)), std::string::npos);
  EXPECT_NE(error.message.find(MinisignKeyIdText(other.id)), std::string::npos);
}

TEST_F(Minisign, AnotherKeyUnderTheSameIdIsAuth) {
  MinisignPublicKey forged = {.id = public_key_.id, .key = MinisignSecretKey::Generate().value().Public().key};
  EXPECT_EQ(VerifyMessage(forged, Sign("model"), AsBytes("model")).error().code, ErrorCode::kAuth);
}

TEST_F(Minisign, EveryChangedFieldIsAuthAndAcceptedWhenRestored) {
  MinisignSignature signature = Sign("model");
  signature.signature[5] ^= std::byte{1};
  EXPECT_EQ(Refusal(signature), ErrorCode::kAuth);
  signature.signature[5] ^= std::byte{1};
  signature.comment_signature[5] ^= std::byte{1};
  EXPECT_EQ(Refusal(signature), ErrorCode::kAuth);
  signature.comment_signature[5] ^= std::byte{1};
  signature.trusted_comment.back() ^= 1;
  EXPECT_EQ(Refusal(signature), ErrorCode::kAuth);
  signature.trusted_comment.back() ^= 1;
  signature.id[0] ^= std::byte{1};
  EXPECT_EQ(Refusal(signature), ErrorCode::kAuth);
  signature.id[0] ^= std::byte{1};
  signature.is_prehashed = false;
  EXPECT_EQ(Refusal(signature), ErrorCode::kAuth);
  signature.is_prehashed = true;
  EXPECT_TRUE(VerifyMessage(public_key_, signature, AsBytes("model")).ok());
}

TEST_F(Minisign, ACommentOfAnotherSignatureIsAuth) {
  MinisignSignature signature = Sign("model", "version=2");
  MinisignSignature other = Sign("another model", "version=3");
  signature.trusted_comment = other.trusted_comment;
  signature.comment_signature = other.comment_signature;
  EXPECT_EQ(Refusal(signature), ErrorCode::kAuth);
}

TEST_F(Minisign, SignatureOfTheOlderFormIsUnsupportedForDigests) {
  MinisignSignature signature = Sign("model");
  signature.is_prehashed = false;
  Blake2b512::Digest digest = Digest<Blake2b512>(AsBytes("model"));
  EXPECT_EQ(VerifyDigest(public_key_, signature, digest).error().code, ErrorCode::kUnsupported);
}

TEST_F(Minisign, CommentsThatCannotBeWrittenAreInvalidArgument) {
  Blake2b512::Digest digest = {};
  EXPECT_EQ(SignDigest(key_, digest, "two\nlines").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(SignDigest(key_, digest, std::string(kMaxTrustedCommentBytes + 1, 'c')).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(SignDigest(key_, digest, std::string(kMaxTrustedCommentBytes, 'c')).ok());
}

TEST_F(Minisign, TextsAreReadBack) {
  MinisignSignature signature = Sign("model");
  MinisignSignature parsed = MinisignSignature::Parse(signature.ToText()).value();
  EXPECT_EQ(parsed.ToText(), signature.ToText());
  EXPECT_TRUE(VerifyMessage(public_key_, parsed, AsBytes("model")).ok());
  SecretBytes secret = key_.ToText();
  MinisignSecretKey read_back = MinisignSecretKey::Parse(AsText(secret.Expose())).value();
  EXPECT_EQ(read_back.Public().ToText(), public_key_.ToText());
  EXPECT_EQ(MinisignPublicKey::Parse(public_key_.ToText()).value().key, public_key_.key);
}

TEST_F(Minisign, PublicKeyMayBeItsLineAlone) {
  std::string text = public_key_.ToText();
  EXPECT_EQ(MinisignPublicKey::Parse(text.substr(text.find('\n') + 1)).value().key, public_key_.key);
}

RC_GTEST_FIXTURE_PROP(Minisign, ParseNeverAcceptsWhatItDoesNotWrite, (size_t position, char replacement)) {
  std::string text = Sign("model").ToText();
  text[position % text.size()] = replacement;
  Result<MinisignSignature> parsed = MinisignSignature::Parse(text);
  if (!parsed.ok()) return;
  std::string untrusted_line = text.substr(0, text.find('\n'));
  std::string written = parsed->ToText();
  if (text.ends_with('\n')) RC_ASSERT(written.substr(written.find('\n')) == text.substr(untrusted_line.size()));
}

TEST_F(Minisign, MalformedSignaturesNameTheirReason) {
  std::string text = Sign("model").ToText();
  auto reason = [](const std::string& changed) { return MinisignSignature::Parse(changed).error().message; };
  auto replaced = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_NE(reason("").find("too few lines"), std::string::npos);
  EXPECT_NE(reason(text + "\n").find("too many lines"), std::string::npos);
  EXPECT_NE(reason(replaced("untrusted comment: ", "")).find("comment line is missing"), std::string::npos);
  EXPECT_NE(reason(replaced("\ntrusted comment: ", "\n")).find("comment line is missing"), std::string::npos);
  EXPECT_NE(reason(replaced("\nRU", "\nQU")).find("unknown algorithm"), std::string::npos);
  EXPECT_NE(reason(replaced("\nRU", "\n")).find("base64"), std::string::npos);
  EXPECT_NE(reason(replaced("name=", "name\x01")).find("control character"), std::string::npos);
  EXPECT_NE(reason(replaced("name=", std::string(5000, 'n'))).find("trusted comment is too long"), std::string::npos);
  EXPECT_NE(reason(replaced("name=", std::string(9000, 'n'))).find("too long a line"), std::string::npos);
}

TEST_F(Minisign, DamagedKeysAreMalformed) {
  std::string public_text = public_key_.ToText();
  EXPECT_EQ(MinisignPublicKey::Parse("RWQ=").error().code, ErrorCode::kMalformed);
  EXPECT_EQ(MinisignPublicKey::Parse(public_text + "RWQ=\n").error().code, ErrorCode::kMalformed);
  public_text[public_text.find("\nRW") + 2] = 'U';
  EXPECT_EQ(MinisignPublicKey::Parse(public_text).error().code, ErrorCode::kMalformed);
  SecretBytes secret = key_.ToText();
  std::string secret_text(AsText(secret.Expose()));
  size_t seed = secret_text.find("\nRW") + 1 + 100;  // a digit inside the seed
  secret_text[seed] = secret_text[seed] == 'A' ? 'B' : 'A';
  EXPECT_NE(MinisignSecretKey::Parse(secret_text).error().message.find("damaged"), std::string::npos);
  EXPECT_EQ(MinisignSecretKey::Parse("RWQAAEIy").error().code, ErrorCode::kMalformed);
}

TEST_F(Minisign, SecretKeyOfUnknownKindIsMalformedAndWithAPasswordUnsupported) {
  SecretBytes secret = key_.ToText();
  std::string text(AsText(secret.Expose()));
  std::string line = text.substr(text.find('\n') + 1);
  line.pop_back();
  std::vector<std::byte> raw = DecodeBase64(line, Base64::kPadded).value();
  auto parse = [&] { return MinisignSecretKey::Parse(EncodeBase64(raw, Base64::kPadded)); };
  EXPECT_TRUE(parse().ok());
  raw[2] = std::byte{'S'};
  EXPECT_EQ(parse().error().code, ErrorCode::kMalformed);
  raw[3] = std::byte{'c'};
  EXPECT_EQ(parse().error().code, ErrorCode::kUnsupported);
  raw[4] = std::byte{'X'};
  EXPECT_EQ(parse().error().code, ErrorCode::kMalformed);
}

TEST_F(Minisign, PeerVerifiesWhatWeSign) {
  TemporaryFolder folder;
  if (!HasProgram("minisign")) GTEST_SKIP() << "minisign is not installed";
  folder.Write("key.pub", public_key_.ToText());
  folder.Write("file", "model");
  folder.Write("file.minisig", Sign("model").ToText());
  EXPECT_EQ(folder.Run("minisign -Vm file -H -p key.pub > output"), 0);
  EXPECT_NE(folder.Read("output").find("Trusted comment: name=digits"), std::string::npos);
  folder.Write("file", "Model");
  EXPECT_NE(folder.Run("minisign -Vm file -H -p key.pub > output 2>&1"), 0);
}

TEST_F(Minisign, PeerSignsWithOurKey) {
  TemporaryFolder folder;
  if (!HasProgram("minisign")) GTEST_SKIP() << "minisign is not installed";
  SecretBytes secret = key_.ToText();
  folder.Write("key.sec", std::string(AsText(secret.Expose())));
  folder.Write("file", "model");
  ASSERT_EQ(folder.Run("minisign -Sm file -s key.sec -t comment > output < /dev/null"), 0);
  MinisignSignature signature = MinisignSignature::Parse(folder.Read("file.minisig")).value();
  EXPECT_EQ(signature.trusted_comment, "comment");
  EXPECT_TRUE(VerifyMessage(public_key_, signature, AsBytes("model")).ok());
}

TEST_F(Minisign, WeReadThePeersKeysAndBothItsForms) {
  TemporaryFolder folder;
  if (!HasProgram("minisign")) GTEST_SKIP() << "minisign is not installed";
  folder.Write("file", "model");
  ASSERT_EQ(folder.Run("minisign -GW -p key.pub -s key.sec > output"), 0);
  ASSERT_EQ(folder.Run("minisign -Sm file -s key.sec > output && mv file.minisig new"), 0);
  ASSERT_EQ(folder.Run("minisign -Slm file -s key.sec > output && mv file.minisig old"), 0);
  MinisignPublicKey public_key = MinisignPublicKey::Parse(folder.Read("key.pub")).value();
  EXPECT_EQ(MinisignSecretKey::Parse(folder.Read("key.sec")).value().Public().key, public_key.key);
  for (const char* name : {"new", "old"}) {
    MinisignSignature signature = MinisignSignature::Parse(folder.Read(name)).value();
    EXPECT_EQ(signature.is_prehashed, std::string(name) == "new");
    EXPECT_TRUE(VerifyMessage(public_key, signature, AsBytes("model")).ok()) << name;
    EXPECT_EQ(VerifyMessage(public_key, signature, AsBytes("Model")).error().code, ErrorCode::kAuth) << name;
  }
}

}  // namespace
}  // namespace soter
