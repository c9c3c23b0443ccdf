// Sealed models: what opens, what does not and why; each refused change is accepted again when it is taken back.
#include "trusted/seal/sealed_model.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/base/bytes.h"
#include "trusted/seal/digested_source.h"
#include "trusted/seal/test_peers.h"
#include "trusted/seal/test_streams.h"
#include "trusted/seal/trailing_digest.h"

namespace soter {
namespace {

using control::Check;
using control::Scheme;

struct Sealed {
  std::string file;
  std::string signature;
};

class SealedModel : public testing::Test {
 protected:
  Sealed Seal(const std::string& graph, std::vector<AgeRecipient> recipients = {}) {
    if (recipients.empty()) recipients.push_back(enclave_.recipient());
    Sealed sealed;
    SealRequest request = {.policy = policy_, .recipients = recipients, .signer = owner_};
    ContentWriter write = [&](const ByteSink& sink) { return sink(AsBytes(graph)); };
    MinisignSignature signature = SealModel(request, write, SinkTo(sealed.file)).value();
    if (!has_head_) signature = WithoutHead(signature, sealed.file);
    sealed.signature = signature.ToText();
    return sealed;
  }

  // As `minisign -S` signs, and as models were signed before their comment had the head's digest.
  MinisignSignature WithoutHead(const MinisignSignature& signature, const std::string& file) {
    ModelComment comment = ModelComment::Parse(signature.trusted_comment).value();
    comment.head.reset();
    return SignDigest(owner_, Digest<Blake2b512>(AsBytes(file)), comment.ToText()).value();
  }

  Result<OpenedModel> Open(const Sealed& sealed, std::optional<ReleaseTerms> terms = std::nullopt) {
    MinisignPublicKey signer = owner_.Public();
    OpenRequest request = {
        .identities = std::span(&enclave_, 1), .signer = signer, .signature = sealed.signature, .terms = terms};
    return OpenSealedModel(SourceOf(sealed.file), sealed.file.size(), request);
  }

  void ExpectRefused(const Sealed& sealed, ErrorCode code, const char* reason) {
    Result<OpenedModel> opened = Open(sealed);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    EXPECT_NE(opened.error().message.find(reason), std::string::npos) << opened.error().message;
  }

  // A sealed model of any plaintext and comment, signed by its owner: what an honest SealModel never makes.
  Sealed SealRaw(const std::string& plaintext, const std::string& comment) {
    Sealed sealed;
    AgeEncryptor encryptor = AgeEncryptor::Start(std::span(&enclave_.recipient(), 1), SinkTo(sealed.file)).value();
    encryptor.Write(AsBytes(plaintext)).value();
    encryptor.Finish().value();
    sealed.signature = SignDigest(owner_, Digest<Blake2b512>(AsBytes(sealed.file)), comment).value().ToText();
    return sealed;
  }

  std::string Plaintext(const std::string& graph) {
    return std::string(AsText(EncodePolicy(policy_, PolicySalt{}).value())) + graph;
  }

  std::string Comment(const std::string& plaintext) {
    return ModelComment{"digits", 3, Digest<Sha256>(AsBytes(plaintext))}.ToText();
  }

  ModelPolicy policy_ = {.name = "digits", .version = 3};
  bool has_head_ = true;
  AgeIdentity enclave_ = AgeIdentity::Generate().value();
  AgeIdentity other_ = AgeIdentity::Generate().value();
  MinisignSecretKey owner_ = MinisignSecretKey::Generate().value();
};

RC_GTEST_FIXTURE_PROP(SealedModel, OpenInvertsSeal, ()) {
  std::string graph(*rc::gen::inRange<size_t>(0, 300000), *rc::gen::arbitrary<char>());
  OpenedModel opened = Open(Seal(graph)).value();
  RC_ASSERT(AsText(opened.graph()) == graph);
  RC_ASSERT(opened.policy().name == policy_.name);
  RC_ASSERT(reinterpret_cast<uintptr_t>(opened.graph().data()) % kPolicyAlignment == 0u);
}

TEST_F(SealedModel, IsReadOnce) {
  for (bool has_head : {true, false}) {
    has_head_ = has_head;
    Sealed sealed = Seal(std::string(3'000'000, 'w'));
    size_t bytes_read = 0;
    ByteSource counted = [&, source = SourceOf(sealed.file)](std::span<std::byte> out) -> Result<size_t> {
      size_t size_bytes = TRY(source(out));
      bytes_read += size_bytes;
      return size_bytes;
    };
    MinisignPublicKey signer = owner_.Public();
    OpenRequest request = {.identities = std::span(&enclave_, 1), .signer = signer, .signature = sealed.signature};
    EXPECT_TRUE(OpenSealedModel(counted, sealed.file.size(), request).ok());
    EXPECT_EQ(bytes_read, sealed.file.size());
  }
}

TEST_F(SealedModel, AnotherKeyIsAuth) {
  Sealed sealed = Seal("graph", {other_.recipient()});
  ExpectRefused(sealed, ErrorCode::kAuth, "was not encrypted to age1");
  std::swap(enclave_, other_);
  EXPECT_TRUE(Open(sealed).ok());
}

TEST_F(SealedModel, AnotherSignerIsAuth) {
  Sealed sealed = Seal("graph");
  MinisignSecretKey owner = std::exchange(owner_, MinisignSecretKey::Generate().value());
  ExpectRefused(sealed, ErrorCode::kAuth, "signed with the minisign key");
  owner_ = std::move(owner);
  EXPECT_TRUE(Open(sealed).ok());
}

TEST_F(SealedModel, ASignatureOfAnotherModelIsAuth) {
  Sealed sealed = Seal("graph");
  std::string signature = std::exchange(sealed.signature, Seal("another").signature);
  ExpectRefused(sealed, ErrorCode::kAuth, "is not the one that");
  sealed.signature = signature;
  EXPECT_TRUE(Open(sealed).ok());
}

TEST_F(SealedModel, AnyChangedByteIsAuthAndAcceptedWhenRestored) {
  for (bool has_head : {true, false}) {
    has_head_ = has_head;
    Sealed sealed = Seal(std::string(200000, 'w'));
    for (size_t offset : {size_t{0}, size_t{30}, size_t{100}, size_t{200}, size_t{100000}, sealed.file.size() - 1}) {
      sealed.file[offset] = static_cast<char>(sealed.file[offset] ^ 1);
      ExpectRefused(sealed, ErrorCode::kAuth, "is not the one that");
      sealed.file[offset] = static_cast<char>(sealed.file[offset] ^ 1);
    }
    EXPECT_TRUE(Open(sealed).ok());
  }
}

TEST_F(SealedModel, TruncatedOrExtendedIsAuth) {
  for (bool has_head : {true, false}) {
    has_head_ = has_head;
    Sealed sealed = Seal(std::string(200000, 'w'));
    for (size_t size : {size_t{0}, size_t{10}, size_t{150}, size_t{100000}, sealed.file.size() - 1}) {
      ExpectRefused({sealed.file.substr(0, size), sealed.signature}, ErrorCode::kAuth, "is not the one that");
    }
    ExpectRefused({sealed.file + "x", sealed.signature}, ErrorCode::kAuth, "is not the one that");
    EXPECT_TRUE(Open(sealed).ok());
  }
}

TEST_F(SealedModel, SwappedChunksAreAuth) {
  for (bool has_head : {true, false}) {
    has_head_ = has_head;
    Sealed sealed = Seal(std::string(200000, 'w'));
    auto first = sealed.file.end() - 2 * static_cast<ptrdiff_t>(kAgeSealedChunkBytes) - 1000;
    auto swap = [&] { std::swap_ranges(first, first + 1000, first + static_cast<ptrdiff_t>(kAgeSealedChunkBytes)); };
    swap();
    ExpectRefused(sealed, ErrorCode::kAuth, "is not the one that");
    swap();
    EXPECT_TRUE(Open(sealed).ok());
  }
}

TEST_F(SealedModel, ReorderedRecipientsAreAuth) {
  for (bool has_head : {true, false}) {
    has_head_ = has_head;
    Sealed sealed = Seal("graph", {other_.recipient(), enclave_.recipient()});
    std::string before = sealed.file.substr(0, sealed.file.find('\n', sealed.file.find("\n---") + 1) + 1);
    AgeHeader header = ParseAgeHeader(before).value();
    std::swap(header.stanzas[0], header.stanzas[1]);
    sealed.file.replace(0, before.size(), EncodeAgeHeader(header));
    ExpectRefused(sealed, ErrorCode::kAuth, "is not the one that");
    sealed.file.replace(0, before.size(), before);
    EXPECT_TRUE(Open(sealed).ok());
  }
}

TEST_F(SealedModel, ADamagedSignatureFileIsMalformed) {
  Sealed sealed = Seal("graph");
  ExpectRefused({sealed.file, "nonsense"}, ErrorCode::kMalformed, "too few lines");
}

TEST_F(SealedModel, AFileThatGrowsIsUnavailable) {
  Sealed sealed = Seal(std::string(300000, 'w'));
  MinisignPublicKey signer = owner_.Public();
  OpenRequest request = {.identities = std::span(&enclave_, 1), .signer = signer, .signature = sealed.signature};
  EXPECT_EQ(OpenSealedModel(SourceOf(sealed.file), 1000, request).error().code, ErrorCode::kUnavailable);
}

TEST_F(SealedModel, AnErrorOfTheSourceIsPassedOn) {
  MinisignPublicKey signer = owner_.Public();
  Sealed sealed = Seal("graph");
  OpenRequest request = {.identities = std::span(&enclave_, 1), .signer = signer, .signature = sealed.signature};
  ByteSource gone = [](std::span<std::byte>) -> Result<size_t> { return Unavailable("disk gone"); };
  EXPECT_EQ(OpenSealedModel(gone, 1000, request).error().code, ErrorCode::kUnavailable);
}

// What makes the head's digest enough: whoever holds the file key, and so can make chunks that pass, cannot keep the
// plaintext's digest; and a header of other recipients for the same payload is another head.
TEST_F(SealedModel, TheHeadAndThePlaintextDecideWhatWasSigned) {
  Sealed sealed = Seal("graph"), same_text = Seal("graph");
  EXPECT_TRUE(Open(sealed).ok());
  ExpectRefused({same_text.file, sealed.signature}, ErrorCode::kAuth, "its header is another");
  std::string plaintext = Plaintext("graph");
  Sealed forged = SealRaw(plaintext, "");
  ModelComment comment = ModelComment::Parse(MinisignSignature::Parse(sealed.signature)->trusted_comment).value();
  size_t head_bytes = forged.file.size() - AgePayloadBytes(plaintext.size());
  comment.head = Digest<Sha256>(AsBytes(std::string_view(forged.file).substr(0, head_bytes)));
  forged.signature = SignDigest(owner_, Digest<Blake2b512>(AsBytes(forged.file)), comment.ToText()).value().ToText();
  ExpectRefused(forged, ErrorCode::kAuth, "not what its signature says");
}

TEST(TrailingDigest, IsOfWhatWasFilled) {
  std::string memory(5'000'000, 'a');
  std::unique_ptr<TrailingDigest> digest = TrailingDigest::Start(AsBytes(memory)).value();
  for (size_t filled = 0; filled < 4'000'001; filled += 65'536) digest->Advance(filled);
  EXPECT_EQ(digest->Finish(4'000'001), Digest<Sha256>(AsBytes(memory).first(4'000'001)));
  EXPECT_EQ(TrailingDigest::Start({}).value()->Finish(0), Digest<Sha256>({}));
  std::unique_ptr<TrailingDigest> dropped = TrailingDigest::Start(AsBytes(memory)).value();
  dropped->Advance(3'000'000);
}

TEST_F(SealedModel, WhatItsOwnerSignedWronglyIsNamed) {
  std::string plaintext = Plaintext("graph");
  EXPECT_TRUE(Open(SealRaw(plaintext, Comment(plaintext))).ok());
  ExpectRefused(SealRaw(plaintext, Comment("another")), ErrorCode::kAuth, "not what its signature says");
  ExpectRefused(SealRaw("no model", Comment("no model")), ErrorCode::kMalformed, "not a Soter model");
  ExpectRefused(SealRaw(plaintext, "timestamp:1"), ErrorCode::kMalformed, "not of a sealed model");
  ModelComment other_version = {"digits", 4, Digest<Sha256>(AsBytes(plaintext))};
  ExpectRefused(SealRaw(plaintext, other_version.ToText()), ErrorCode::kMalformed, "another model or version");
}

TEST_F(SealedModel, EachTermOfTheReleaseBindsAndIsMetWhenRestored) {
  Sealed sealed = Seal("graph");
  OpenedModel opened = Open(sealed).value();
  const ReleaseTerms good = {"digits", 3, opened.digest(), Scheme::kSoter, Check::kFingerprint};
  auto refusal = [&](auto change) {
    ReleaseTerms terms = good;
    change(terms);
    Error error = Open(sealed, terms).error();
    EXPECT_EQ(error.code, ErrorCode::kAuth);
    return error.message;
  };
  EXPECT_NE(refusal([](auto& t) { t.name = "faces"; }).find("released for \"faces\""), std::string::npos);
  EXPECT_NE(refusal([](auto& t) { t.version = 4; }).find("is version 3"), std::string::npos);
  EXPECT_NE(refusal([](auto& t) { t.digest[0] ^= std::byte{1}; }).find("not the one"), std::string::npos);
  EXPECT_TRUE(Open(sealed, good).ok());
}

TEST_F(SealedModel, TheStrongerOfReleaseAndPolicyBinds) {
  Sealed sealed = Seal("graph");
  ModelPolicy own = Open(sealed)->policy();
  auto policy = [&](Scheme scheme, Check check) {
    return Open(sealed, ReleaseTerms{"digits", 3, Open(sealed)->digest(), scheme, check})->policy();
  };
  ModelPolicy stronger = policy(Scheme::kMlcapsule, Check::kFreivalds);
  EXPECT_EQ(stronger.min_scheme, Scheme::kMlcapsule);
  EXPECT_EQ(stronger.min_check, Check::kFreivalds);
  ModelPolicy weaker = policy(Scheme::kInsecure, Check::kNone);
  EXPECT_EQ(weaker.min_scheme, own.min_scheme);
  EXPECT_EQ(weaker.min_check, own.min_check);
}

TEST_F(SealedModel, ErrorsOfTheWriterAndTheRequestArePassedOn) {
  std::string file;
  SealRequest request = {.policy = policy_, .recipients = std::span(&enclave_.recipient(), 1), .signer = owner_};
  ContentWriter broken = [](const ByteSink&) -> Status { return Unsupported("no such graph"); };
  EXPECT_EQ(SealModel(request, broken, SinkTo(file)).error().code, ErrorCode::kUnsupported);
  ContentWriter empty = [](const ByteSink&) -> Status { return {}; };
  policy_.name = "";
  EXPECT_EQ(SealModel(request, empty, SinkTo(file)).error().code, ErrorCode::kInvalidArgument);
  policy_.name = "digits";
  SealRequest nobody = {.policy = policy_, .recipients = {}, .signer = owner_};
  EXPECT_EQ(SealModel(nobody, empty, SinkTo(file)).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SealedModel, ResealingChangesRecipientsAndSignerOnly) {
  Sealed sealed = Seal(std::string(200000, 'w'));
  MinisignPublicKey old_signer = owner_.Public();
  MinisignSecretKey new_owner = MinisignSecretKey::Generate().value();
  OpenRequest open = {.identities = std::span(&enclave_, 1), .signer = old_signer, .signature = sealed.signature};
  ResealRequest request = {.open = open, .recipients = std::span(&other_.recipient(), 1), .signer = new_owner};
  Sealed resealed;
  resealed.signature = ResealModel(SourceOf(sealed.file), request, SinkTo(resealed.file)).value().ToText();
  Sha256::Digest digest = Open(sealed).value().digest();

  owner_ = std::move(new_owner);
  ExpectRefused(resealed, ErrorCode::kAuth, "was not encrypted to");
  std::swap(enclave_, other_);
  OpenedModel opened = Open(resealed).value();
  EXPECT_EQ(AsText(opened.graph()), std::string(200000, 'w'));
  EXPECT_EQ(opened.digest(), digest);
}

TEST_F(SealedModel, ResealingAChangedFileIsAuth) {
  Sealed sealed = Seal(std::string(200000, 'w'));
  MinisignPublicKey signer = owner_.Public();
  OpenRequest open = {.identities = std::span(&enclave_, 1), .signer = signer, .signature = sealed.signature};
  ResealRequest request = {.open = open, .recipients = std::span(&other_.recipient(), 1), .signer = owner_};
  std::string resealed;
  sealed.file.back() = static_cast<char>(sealed.file.back() ^ 1);
  EXPECT_EQ(ResealModel(SourceOf(sealed.file), request, SinkTo(resealed)).error().code, ErrorCode::kAuth);
  sealed.file.back() = static_cast<char>(sealed.file.back() ^ 1);
  EXPECT_TRUE(ResealModel(SourceOf(sealed.file), request, SinkTo(resealed)).ok());
}

TEST_F(SealedModel, InspectingNeedsNoKeyAndVerifiesWithOne) {
  Sealed sealed = Seal("graph", {enclave_.recipient(), other_.recipient()});
  SealedModelInfo info =
      InspectSealedModel(SourceOf(sealed.file), sealed.file.size(), sealed.signature, nullptr).value();
  EXPECT_FALSE(info.is_verified);
  EXPECT_EQ(info.comment.name, "digits");
  EXPECT_EQ(info.comment.version, 3u);
  EXPECT_EQ(info.signer, owner_.id());
  EXPECT_EQ(info.recipient_kinds, (std::vector<std::string>{"X25519", "X25519"}));
  EXPECT_EQ(info.plaintext_bytes, Plaintext("graph").size());

  MinisignPublicKey signer = owner_.Public();
  auto verify = [&] { return InspectSealedModel(SourceOf(sealed.file), sealed.file.size(), sealed.signature, &signer); };
  EXPECT_TRUE(verify().value().is_verified);
  sealed.file.back() = static_cast<char>(sealed.file.back() ^ 1);
  EXPECT_EQ(verify().error().code, ErrorCode::kAuth);
}

TEST_F(SealedModel, InspectingWhatIsNoAgeFileIsMalformed) {
  Sealed sealed = Seal("graph");
  auto inspect = [&](const std::string& file) {
    return InspectSealedModel(SourceOf(file), file.size(), sealed.signature, nullptr).error().code;
  };
  EXPECT_EQ(inspect("nonsense"), ErrorCode::kMalformed);
  size_t header_bytes = sealed.file.find('\n', sealed.file.find("\n---") + 1) + 1;
  EXPECT_EQ(inspect(sealed.file.substr(0, header_bytes + 3)), ErrorCode::kMalformed);
  EXPECT_EQ(inspect(sealed.file.substr(0, header_bytes + 20)), ErrorCode::kMalformed);
}

TEST_F(SealedModel, PeersOpenAndVerifyIt) {
  if (!HasProgram("age") || !HasProgram("minisign")) GTEST_SKIP() << "age or minisign is not installed";
  TemporaryFolder folder;
  Sealed sealed = Seal(std::string(100000, 'w'));
  SecretBytes identity = enclave_.ToText();
  folder.Write("key", std::string(AsText(identity.Expose())));
  folder.Write("signer.pub", owner_.Public().ToText());
  folder.Write("model.soter", sealed.file);
  folder.Write("model.soter.minisig", sealed.signature);
  ASSERT_EQ(folder.Run("minisign -Vm model.soter -p signer.pub > comment"), 0);
  ASSERT_EQ(folder.Run("age -d -i key model.soter > plain"), 0);
  std::string comment = folder.Read("comment");
  EXPECT_NE(comment.find(ModelComment{"digits", 3, Digest<Sha256>(AsBytes(folder.Read("plain")))}.ToText()),
            std::string::npos);
  EXPECT_TRUE(folder.Read("plain").ends_with(std::string(100000, 'w')));
}

TEST_F(SealedModel, WeOpenWhatPeersMake) {
  if (!HasProgram("age") || !HasProgram("minisign")) GTEST_SKIP() << "age or minisign is not installed";
  TemporaryFolder folder;
  std::string plaintext = Plaintext(std::string(100000, 'w'));
  SecretBytes signing_key = owner_.ToText();
  folder.Write("signer.sec", std::string(AsText(signing_key.Expose())));
  folder.Write("plain", plaintext);
  ASSERT_EQ(folder.Run("age -r " + enclave_.recipient().ToText() + " -o model.soter plain"), 0);
  ASSERT_EQ(folder.Run("minisign -Sm model.soter -s signer.sec -t '" + Comment(plaintext) + "' > output < /dev/null"), 0);
  OpenedModel opened = Open({folder.Read("model.soter"), folder.Read("model.soter.minisig")}).value();
  EXPECT_EQ(AsText(opened.graph()), std::string(100000, 'w'));
}

RC_GTEST_PROP(DigestedSource, HandsOnEveryByteAndDigestsIt, ()) {
  std::string text(*rc::gen::inRange<size_t>(0, 10) * 524287 + *rc::gen::inRange<size_t>(0, 100), 'a');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761u >> 24);
  std::unique_ptr<DigestedSource> source = DigestedSource::Start(SourceOf(text, 70001)).value();
  std::string read(text.size() / 2, '\0');
  size_t size_bytes =
      ReadFull([&](std::span<std::byte> out) { return source->Read(out); }, std::as_writable_bytes(std::span(read)))
          .value();
  RC_ASSERT(size_bytes == read.size());
  RC_ASSERT(read == text.substr(0, read.size()));
  RC_ASSERT(source->Finish().value() == Digest<Blake2b512>(AsBytes(text)));
}

TEST(DigestedSource, MayBeDroppedBeforeItsEnd) {
  std::unique_ptr<DigestedSource> source = DigestedSource::Start(SourceOf(std::string(20'000'000, 'a'))).value();
  std::byte first;
  EXPECT_EQ(source->Read(std::span(&first, 1)).value(), 1u);
}

}  // namespace
}  // namespace soter
