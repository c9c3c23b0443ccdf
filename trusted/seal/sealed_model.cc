#include "trusted/seal/sealed_model.h"

#include <algorithm>

#include "common/base/bytes.h"
#include "trusted/crypto/random.h"
#include "trusted/seal/sealed_stream.h"
#include "trusted/seal/trailing_digest.h"

namespace soter {
namespace {

// EncryptAndDigest passes a plaintext through age into `ciphertext` and digests both sides.
class EncryptAndDigest {
 public:
  static Result<std::unique_ptr<EncryptAndDigest>> Start(std::span<const AgeRecipient> recipients,
                                                         ByteSink ciphertext) {
    std::unique_ptr<EncryptAndDigest> started(new EncryptAndDigest);
    ByteSink digested = [pass = started.get(),
                         sink = std::move(ciphertext)](std::span<const std::byte> bytes) -> Status {
      pass->ciphertext_hasher_.Update(bytes);
      if (!pass->encryptor_) pass->head_hasher_.Update(bytes);  // the header and the nonce come before there is one
      return sink(bytes);
    };
    started->encryptor_ = TRY(AgeEncryptor::Start(recipients, std::move(digested)));
    return started;
  }

  Status Write(std::span<const std::byte> plaintext) {
    plaintext_hasher_.Update(plaintext);
    return encryptor_->Write(plaintext);
  }

  // Finish ends the file and signs it for the model of this name and version.
  Result<MinisignSignature> Finish(const MinisignSecretKey& signer, const std::string& name, uint64_t version) {
    TRY(encryptor_->Finish());
    ModelComment comment = {.name = name, .version = version, .digest = std::move(plaintext_hasher_).Finish(),
                            .head = std::move(head_hasher_).Finish()};
    return SignDigest(signer, std::move(ciphertext_hasher_).Finish(), comment.ToText());
  }

 private:
  EncryptAndDigest() = default;

  Blake2b512 ciphertext_hasher_;
  Sha256 plaintext_hasher_, head_hasher_;
  std::optional<AgeEncryptor> encryptor_;
};

Status RequireTerms(const ModelComment& comment, const ReleaseTerms& terms) {
  if (comment.name != terms.name) {
    return AuthError("the sealed model is \"" + comment.name + "\"; the key was released for \"" + terms.name + "\"");
  }
  if (comment.version != terms.version) {
    return AuthError("the sealed model \"" + comment.name + "\" is version " + std::to_string(comment.version) +
                     "; the key was released for version " + std::to_string(terms.version));
  }
  if (comment.digest != terms.digest) {
    return AuthError("the sealed model \"" + comment.name + "\" is not the one that the key was released for");
  }
  return {};
}

// A broker may demand more than the owner wrote into the file; the stronger of the two binds.
void Strengthen(ModelPolicy& policy, const ReleaseTerms& terms) {
  if (SchemeStrength(terms.min_scheme) > SchemeStrength(policy.min_scheme)) policy.min_scheme = terms.min_scheme;
  if (CheckStrength(terms.min_check) > CheckStrength(policy.min_check)) policy.min_check = terms.min_check;
}

Result<size_t> DecryptInto(SealedStream& stream, std::span<std::byte> out, TrailingDigest& digest) {
  size_t filled = 0;
  while (out.size() - filled >= kAgeChunkBytes) {
    size_t size_bytes = TRY(stream.Read(out.subspan(filled)));
    if (size_bytes == 0) return filled;
    filled += size_bytes;
    digest.Advance(filled);
  }
  return Unavailable("the sealed model grew while it was read");
}

Status CheckPolicyIsOfComment(const ModelPolicy& policy, const ModelComment& comment) {
  if (policy.name == comment.name && policy.version == comment.version) return {};
  return Malformed("the sealed model's signature names another model or version than its policy");
}

}  // namespace

Result<MinisignSignature> SealModel(const SealRequest& request, const ContentWriter& write_content,
                                    ByteSink ciphertext) {
  PolicySalt salt;
  TRY(FillRandom(salt));
  std::vector<std::byte> header = TRY(EncodePolicy(request.policy, salt));
  std::unique_ptr<EncryptAndDigest> pass = TRY(EncryptAndDigest::Start(request.recipients, std::move(ciphertext)));
  TRY(pass->Write(header));
  TRY(write_content([&pass](std::span<const std::byte> bytes) { return pass->Write(bytes); }));
  return pass->Finish(request.signer, request.policy.name, request.policy.version);
}

Result<OpenedModel> OpenSealedModel(ByteSource ciphertext, uint64_t ciphertext_bytes, const OpenRequest& request) {
  SealedStream stream = TRY(SealedStream::Start(std::move(ciphertext), request));
  OpenedModel model;
  // A plaintext is shorter than its ciphertext; the last call of Read still wants room for a chunk.
  model.plaintext_ = TRY(LockedBuffer::Allocate(ciphertext_bytes + kAgeChunkBytes));
  std::unique_ptr<TrailingDigest> digest = TRY(TrailingDigest::Start(model.plaintext_.bytes()));
  size_t plaintext_bytes = TRY(DecryptInto(stream, model.plaintext_.bytes(), *digest));
  ModelComment comment = TRY(stream.Finish(digest->Finish(plaintext_bytes)));
  if (request.terms) TRY(RequireTerms(comment, *request.terms));

  DecodedPolicy decoded = TRY(DecodePolicy(model.plaintext_.bytes().first(plaintext_bytes)));
  TRY(CheckPolicyIsOfComment(decoded.policy, comment));
  if (request.terms) Strengthen(decoded.policy, *request.terms);
  model.policy_ = std::move(decoded.policy);
  model.digest_ = comment.digest;
  model.header_bytes_ = decoded.header_bytes;
  model.graph_bytes_ = plaintext_bytes - decoded.header_bytes;
  return model;
}

Result<MinisignSignature> ResealModel(ByteSource ciphertext, const ResealRequest& request, ByteSink resealed) {
  SealedStream stream = TRY(SealedStream::Start(std::move(ciphertext), request.open));
  std::unique_ptr<EncryptAndDigest> pass = TRY(EncryptAndDigest::Start(request.recipients, std::move(resealed)));
  SecretBytes chunk(kAgeChunkBytes);
  Sha256 plaintext;
  while (size_t size_bytes = TRY(stream.Read(chunk.Expose()))) {
    plaintext.Update(chunk.Expose().first(size_bytes));
    TRY(pass->Write(chunk.Expose().first(size_bytes)));
  }
  ModelComment comment = TRY(stream.Finish(std::move(plaintext).Finish()));
  if (request.open.terms) TRY(RequireTerms(comment, *request.open.terms));
  return pass->Finish(request.signer, comment.name, comment.version);
}

Result<SealedModelInfo> InspectSealedModel(ByteSource ciphertext, uint64_t ciphertext_bytes,
                                           std::string_view signature_text, const MinisignPublicKey* signer) {
  MinisignSignature signature = TRY(MinisignSignature::Parse(signature_text));
  ModelComment comment = TRY(ModelComment::Parse(signature.trusted_comment));
  std::unique_ptr<DigestedSource> source = TRY(DigestedSource::Start(std::move(ciphertext)));
  std::string text =
      TRY(ReadAgeHeaderText([raw = source.get()](std::span<std::byte> out) { return raw->Read(out); }));
  AgeHeader header = TRY(ParseAgeHeader(text));
  constexpr uint64_t kNonceBytes = 16;
  if (ciphertext_bytes < text.size() + kNonceBytes) return Malformed("the age file ends inside its nonce");
  uint64_t plaintext_bytes = TRY(AgePlaintextBytes(ciphertext_bytes - text.size() - kNonceBytes));
  SealedModelInfo info = {.comment = std::move(comment),
                          .signer = signature.id,
                          .ciphertext_bytes = ciphertext_bytes,
                          .plaintext_bytes = plaintext_bytes,
                          .is_verified = signer != nullptr};
  for (const AgeStanza& stanza : header.stanzas) info.recipient_kinds.push_back(stanza.arguments[0]);
  if (signer != nullptr) {
    Blake2b512::Digest digest = TRY(source->Finish());
    TRY(VerifyDigest(*signer, signature, digest));
  }
  return info;
}

}  // namespace soter
