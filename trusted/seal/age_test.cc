// age files: round trips, peers, and every refusal by name.
#include "trusted/seal/age.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdio>

#include "common/base/hex.h"
#include "trusted/crypto/hash.h"
#include "trusted/seal/test_peers.h"
#include "trusted/seal/test_streams.h"

namespace soter {
namespace {

std::string Encrypt(std::span<const AgeRecipient> recipients, const std::string& plaintext, size_t piece_bytes = 7777) {
  std::string file;
  AgeEncryptor encryptor = AgeEncryptor::Start(recipients, SinkTo(file)).value();
  for (size_t i = 0; i < plaintext.size(); i += piece_bytes) {
    encryptor.Write(AsBytes(plaintext).subspan(i, std::min(piece_bytes, plaintext.size() - i))).value();
  }
  encryptor.Finish().value();
  return file;
}

Result<std::string> Decrypt(const AgeIdentity& identity, const std::string& file) {
  AgeDecryptor decryptor = TRY(AgeDecryptor::Open(SourceOf(file), std::span(&identity, 1)));
  std::string plaintext;
  std::vector<std::byte> chunk(kAgeChunkBytes);
  while (size_t size_bytes = TRY(decryptor.Read(chunk))) plaintext += AsText(std::span(chunk).first(size_bytes));
  return plaintext;
}

class Age : public testing::Test {
 protected:
  AgeIdentity identity_ = AgeIdentity::Generate().value();
  AgeIdentity other_ = AgeIdentity::Generate().value();

  std::string EncryptToIdentity(const std::string& plaintext) { return Encrypt(std::span(&identity_.recipient(), 1), plaintext); }
  void ExpectRefused(const std::string& file, ErrorCode code) {
    Result<std::string> plaintext = Decrypt(identity_, file);
    ASSERT_FALSE(plaintext.ok());
    EXPECT_EQ(plaintext.error().code, code) << plaintext.error().message;
  }
};

RC_GTEST_FIXTURE_PROP(Age, DecryptInvertsEncrypt, ()) {
  // Sizes gather around the edges of chunks, where mistakes live.
  size_t chunk_count = *rc::gen::inRange<size_t>(0, 4);
  int64_t offset = *rc::gen::inRange<int64_t>(-2, 3);
  size_t size_bytes = static_cast<size_t>(std::max<int64_t>(0, static_cast<int64_t>(chunk_count * kAgeChunkBytes) + offset));
  std::string plaintext(size_bytes, *rc::gen::arbitrary<char>());
  size_t piece_bytes = *rc::gen::inRange<size_t>(1000, 200000);
  std::string file = Encrypt(std::span(&identity_.recipient(), 1), plaintext, piece_bytes);
  RC_ASSERT(Decrypt(identity_, file).value() == plaintext);
  uint64_t payload_bytes = file.size() - file.find("\n", file.find("\n---") + 1) - 1 - 16;
  RC_ASSERT(payload_bytes == AgePayloadBytes(size_bytes));
  RC_ASSERT(AgePlaintextBytes(payload_bytes).value() == size_bytes);
}

TEST_F(Age, EachOfSeveralRecipientsOpensTheFile) {
  std::vector<AgeRecipient> recipients = {other_.recipient(), identity_.recipient()};
  std::string file = Encrypt(recipients, "weights");
  EXPECT_EQ(Decrypt(identity_, file).value(), "weights");
  EXPECT_EQ(Decrypt(other_, file).value(), "weights");
}

TEST_F(Age, NoRecipientIsInvalidArgument) {
  std::string file;
  EXPECT_EQ(AgeEncryptor::Start({}, SinkTo(file)).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(file, "");
}

TEST_F(Age, TooManyRecipientsAreInvalidArgument) {
  std::vector<AgeRecipient> recipients(3000, identity_.recipient());
  std::string file;
  EXPECT_EQ(AgeEncryptor::Start(recipients, SinkTo(file)).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Age, AnotherIdentityIsAuth) {
  std::string file = Encrypt(std::span(&other_.recipient(), 1), "weights");
  ExpectRefused(file, ErrorCode::kAuth);
  EXPECT_EQ(Decrypt(other_, file).value(), "weights");
}

TEST_F(Age, AnErrorOfTheSinkOrTheSourceIsPassedOn) {
  ByteSink full = [](std::span<const std::byte>) -> Status { return Exhausted("disk full"); };
  EXPECT_EQ(AgeEncryptor::Start(std::span(&identity_.recipient(), 1), full).error().code, ErrorCode::kExhausted);
  ByteSource gone = [](std::span<std::byte>) -> Result<size_t> { return Unavailable("disk gone"); };
  EXPECT_EQ(AgeDecryptor::Open(gone, std::span(&identity_, 1)).error().code, ErrorCode::kUnavailable);
}

TEST_F(Age, EveryChangedBitOfTheHeaderIsRefusedAndAcceptedWhenRestored) {
  std::string file = EncryptToIdentity("weights");
  size_t header_bytes = file.find("\n", file.find("\n---") + 1) + 1;
  for (size_t i = 0; i < header_bytes; ++i) {
    file[i] = static_cast<char>(file[i] ^ 1);
    EXPECT_FALSE(Decrypt(identity_, file).ok()) << i;
    file[i] = static_cast<char>(file[i] ^ 1);
  }
  EXPECT_EQ(Decrypt(identity_, file).value(), "weights");
}

TEST_F(Age, ReorderedRecipientsAreIntegrity) {
  std::vector<AgeRecipient> recipients = {other_.recipient(), identity_.recipient()};
  std::string file = Encrypt(recipients, "weights");
  size_t mac_start = file.find("\n---") + 1;
  AgeHeader header = ParseAgeHeader(file.substr(0, file.find('\n', mac_start) + 1)).value();
  std::string before = EncodeAgeHeader(header);
  std::swap(header.stanzas[0], header.stanzas[1]);
  ExpectRefused(EncodeAgeHeader(header) + file.substr(before.size()), ErrorCode::kIntegrity);
  std::swap(header.stanzas[0], header.stanzas[1]);
  EXPECT_EQ(Decrypt(identity_, EncodeAgeHeader(header) + file.substr(before.size())).value(), "weights");
}

TEST_F(Age, SwappedChunksAreIntegrity) {
  std::string plaintext = std::string(kAgeChunkBytes, 'a') + std::string(kAgeChunkBytes, 'b') + "c";
  std::string file = EncryptToIdentity(plaintext);
  size_t payload = file.size() - AgePayloadBytes(plaintext.size());
  auto swap_first_two = [&] {
    auto first = file.begin() + static_cast<ptrdiff_t>(payload);
    auto second = first + static_cast<ptrdiff_t>(kAgeSealedChunkBytes);
    std::swap_ranges(first, second, second);
  };
  swap_first_two();
  ExpectRefused(file, ErrorCode::kIntegrity);
  swap_first_two();
  EXPECT_EQ(Decrypt(identity_, file).value(), plaintext);
}

TEST_F(Age, TruncatedAnywhereIsRefused) {
  std::string file = EncryptToIdentity(std::string(kAgeChunkBytes + 5, 'a'));
  size_t payload = file.size() - AgePayloadBytes(kAgeChunkBytes + 5);
  for (size_t size : {size_t{0}, payload / 2, payload - 1, payload, payload + 1, payload + kAgeSealedChunkBytes - 1,
                      payload + kAgeSealedChunkBytes, payload + kAgeSealedChunkBytes + 3, file.size() - 1}) {
    EXPECT_FALSE(Decrypt(identity_, file.substr(0, size)).ok()) << size;
  }
  EXPECT_TRUE(Decrypt(identity_, file).ok());
}

TEST_F(Age, ExtendedIsIntegrity) {
  std::string file = EncryptToIdentity("weights");
  ExpectRefused(file + "x", ErrorCode::kIntegrity);
  std::string full = EncryptToIdentity(std::string(kAgeChunkBytes, 'a'));
  ExpectRefused(full + "x", ErrorCode::kIntegrity);
  EXPECT_TRUE(Decrypt(identity_, full).ok());
}

TEST_F(Age, AnErrorOfReadStays) {
  std::string file = EncryptToIdentity(std::string(kAgeChunkBytes + 5, 'a'));
  file.back() = static_cast<char>(file.back() ^ 1);
  AgeDecryptor decryptor = AgeDecryptor::Open(SourceOf(file), std::span(&identity_, 1)).value();
  std::vector<std::byte> chunk(kAgeChunkBytes);
  EXPECT_EQ(decryptor.Read(chunk).value(), kAgeChunkBytes);
  EXPECT_EQ(decryptor.Read(chunk).error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(decryptor.Read(chunk).error().code, ErrorCode::kIntegrity);
}

TEST(AgeHeader, WithoutEndOrLimitIsMalformed) {
  EXPECT_EQ(ReadAgeHeaderText(SourceOf("age-encryption.org/v1\n-> X25519 a\n")).error().code, ErrorCode::kMalformed);
  std::string endless(kMaxAgeHeaderBytes + 1, '\n');
  EXPECT_NE(ReadAgeHeaderText(SourceOf(endless)).error().message.find("longer than"), std::string::npos);
}

TEST(AgeHeader, EachRefusalNamesItsReason) {
  std::string start = "age-encryption.org/v1\n";
  std::string mac = "--- " + std::string(43, 'A') + "\n";
  EXPECT_TRUE(ParseAgeHeader(start + "-> grease\n\n" + mac).ok());
  const std::pair<std::string, const char*> cases[] = {
      {"age-encryption.org/v2\n-> grease\n\n" + mac, "not an age v1 file"},
      {start + mac, "no recipient"},
      {start + "-> \n\n" + mac, "empty argument"},
      {start + "-> a  b\n\n" + mac, "empty argument"},
      {start + "-> a\x01\n\n" + mac, "printable"},
      {start + "=> a\n\n" + mac, "does not start"},
      {start + "-> a\n" + std::string(68, 'A') + "\n\n" + mac, "64 columns"},
      {start + "-> a\n\n---\n", "no MAC"},
      {start + "-> a\n\n--- AAAA\n", "MAC of the age header is too short"},
      {start + "-> a\n\n" + mac + "x", "bytes follow"},
      {start + "-> a", "inside a line"},
  };
  for (const auto& [text, reason] : cases) {
    Result<AgeHeader> header = ParseAgeHeader(text);
    ASSERT_FALSE(header.ok()) << text;
    EXPECT_EQ(header.error().code, ErrorCode::kMalformed);
    EXPECT_NE(header.error().message.find(reason), std::string::npos) << header.error().message;
  }
}

RC_GTEST_PROP(AgeHeader, ParseInvertsEncode, (const std::vector<uint8_t>& numbers)) {
  AgeHeader header = {.stanzas = {{.arguments = {"kind", "argument"}}}};
  std::ranges::copy(std::as_bytes(std::span(numbers)), std::back_inserter(header.stanzas[0].body));
  AgeHeader parsed = ParseAgeHeader(EncodeAgeHeader(header)).value();
  RC_ASSERT(parsed.stanzas[0].body == header.stanzas[0].body);
  RC_ASSERT(parsed.stanzas[0].arguments == header.stanzas[0].arguments);
}

TEST(AgeKey, TextsAreReadBack) {
  AgeIdentity identity = AgeIdentity::Generate().value();
  SecretBytes text = identity.ToText();
  EXPECT_TRUE(AsText(text.Expose()).starts_with("AGE-SECRET-KEY-1"));
  std::string recipient = identity.recipient().ToText();
  EXPECT_EQ(AgeIdentity::Parse(AsText(text.Expose())).value().recipient().ToText(), recipient);
  EXPECT_EQ(AgeRecipient::Parse(recipient).value().key(), identity.recipient().key());
}

TEST(AgeKey, OfAnotherKindOrLengthIsMalformed) {
  AgeIdentity identity = AgeIdentity::Generate().value();
  std::string recipient = identity.recipient().ToText();
  SecretBytes secret = identity.ToText();
  EXPECT_EQ(AgeIdentity::Parse(recipient).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(AgeRecipient::Parse(AsText(secret.Expose())).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(AgeRecipient::Parse("age1").error().code, ErrorCode::kMalformed);
  EXPECT_EQ(AgeRecipient::Parse(recipient + "q").error().code, ErrorCode::kMalformed);
}

TEST(AgeKey, IdentityFilesHoldCommentsAndNameTheBadLine) {
  SecretBytes text = AgeIdentity::Generate().value().ToText();
  std::string good = "# created: today\n\n" + std::string(AsText(text.Expose())) + "\r\n";
  EXPECT_EQ(ParseAgeIdentities(good).value().size(), 1u);
  EXPECT_NE(ParseAgeIdentities(good + "nonsense\n").error().message.find("line 4"), std::string::npos);
  EXPECT_EQ(ParseAgeIdentities("# empty\n").error().code, ErrorCode::kMalformed);
}

TEST(AgePlaintextBytes, OfASizeThatNoPayloadHasIsMalformed) {
  for (uint64_t size : {uint64_t{0}, uint64_t{15}, uint64_t{kAgeSealedChunkBytes + 16}}) {
    EXPECT_EQ(AgePlaintextBytes(size).error().code, ErrorCode::kMalformed) << size;
  }
  EXPECT_EQ(AgePlaintextBytes(AgePayloadBytes(uint64_t{5} << 30)).value(), uint64_t{5} << 30);
}

TEST(AgeChunkNonce, CountsBeyondFourGibiChunks) {
  EXPECT_EQ(EncodeHex(AgeChunkNonce(0x0123456789, true)), "000000000000012345678901");
}

TEST_F(Age, PeerOpensWhatWeEncrypt) {
  TemporaryFolder folder;
  if (!HasProgram("age")) GTEST_SKIP() << "age is not installed";
  SecretBytes text = identity_.ToText();
  folder.Write("key", std::string(AsText(text.Expose())));
  for (size_t size_bytes : {size_t{0}, size_t{1}, kAgeChunkBytes, 3 * kAgeChunkBytes + 17}) {
    std::string plaintext(size_bytes, 'w');
    folder.Write("file.age", EncryptToIdentity(plaintext));
    ASSERT_EQ(folder.Run("age -d -i key -o plain file.age"), 0);
    EXPECT_EQ(folder.Read("plain"), plaintext);
  }
}

TEST_F(Age, WeOpenWhatAPeerEncrypts) {
  TemporaryFolder folder;
  if (!HasProgram("age") || !HasProgram("age-keygen")) GTEST_SKIP() << "age is not installed";
  ASSERT_EQ(folder.Run("age-keygen -o key 2>/dev/null && age-keygen -y key > recipient"), 0);
  std::vector<AgeIdentity> identities = ParseAgeIdentities(folder.Read("key")).value();
  EXPECT_EQ(identities[0].recipient().ToText() + "\n", folder.Read("recipient"));
  for (size_t size_bytes : {size_t{0}, size_t{1}, kAgeChunkBytes, 3 * kAgeChunkBytes + 17}) {
    std::string plaintext(size_bytes, 'w');
    folder.Write("plain", plaintext);
    ASSERT_EQ(folder.Run("age -R recipient -r " + other_.recipient().ToText() + " -o file.age plain"), 0);
    EXPECT_EQ(Decrypt(identities[0], folder.Read("file.age")).value(), plaintext);
    EXPECT_EQ(Decrypt(other_, folder.Read("file.age")).value(), plaintext);
  }
}

}  // namespace
}  // namespace soter
