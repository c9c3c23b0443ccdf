#include "trusted/seal/sealed_stream.h"

#include "trusted/crypto/constant_time.h"

namespace soter {
namespace {

// Head digests what an age file has before its first chunk, as it is read.
struct Head {
  Sha256 hasher;
  bool ended = false;
};

// Where no identity fits, the nonce was not read yet; errors of the source itself say nothing about the file.
Status ReadNonce(const ByteSource& source) {
  std::array<std::byte, 16> nonce;
  TRY(ReadFull(source, nonce));
  return {};
}

bool IsAboutContent(const Error& error) {
  return error.code == ErrorCode::kMalformed || error.code == ErrorCode::kIntegrity || error.code == ErrorCode::kAuth;
}

}  // namespace

Result<SealedStream> SealedStream::Start(ByteSource ciphertext, const OpenRequest& request) {
  MinisignSignature signature = TRY(MinisignSignature::Parse(request.signature));
  TRY(VerifyComment(request.signer, signature));
  ModelComment comment = TRY(ModelComment::Parse(signature.trusted_comment));
  SealedStream stream(request.signer, std::move(signature), std::move(comment));
  if (!stream.comment_.head) {
    stream.source_ = TRY(DigestedSource::Start(std::move(ciphertext)));
    ciphertext = [source = stream.source_.get()](std::span<std::byte> out) { return source->Read(out); };
  }
  TRY(stream.OpenAge(std::move(ciphertext), request.identities));
  return stream;
}

Status SealedStream::OpenAge(ByteSource source, std::span<const AgeIdentity> identities) {
  auto head = std::make_shared<Head>();
  ByteSource digested = [source = std::move(source), head](std::span<std::byte> out) -> Result<size_t> {
    size_t size_bytes = TRY(source(out));
    if (!head->ended) head->hasher.Update(out.first(size_bytes));
    return size_bytes;
  };
  Result<AgeDecryptor> decryptor = AgeDecryptor::Open(digested, identities);
  if (comment_.head && (decryptor.ok() || IsAboutContent(decryptor.error()))) {
    if (!decryptor.ok() && decryptor.error().code == ErrorCode::kAuth) TRY(ReadNonce(digested));
    if (!ConstantTimeEqual(std::move(head->hasher).Finish(), *comment_.head))
      return AuthError("the sealed model is not the one that was signed: its header is another");
  }
  head->ended = true;
  if (!decryptor.ok()) return Explain(std::move(decryptor).error());
  decryptor_ = *std::move(decryptor);
  return {};
}

Result<size_t> SealedStream::Read(std::span<std::byte> out) {
  Result<size_t> size_bytes = decryptor_->Read(out);
  if (!size_bytes.ok()) return Explain(std::move(size_bytes).error());
  return size_bytes;
}

Result<ModelComment> SealedStream::Finish(const Sha256::Digest& plaintext) {
  TRY(VerifyCiphertext());
  if (!ConstantTimeEqual(plaintext, comment_.digest))
    return AuthError("the sealed model's plaintext is not what its signature says");
  return comment_;
}

Error SealedStream::Explain(Error error) {
  if (!IsAboutContent(error)) return error;
  Status verified = VerifyCiphertext();
  if (!verified.ok()) return std::move(verified).error();
  // The head is the signed one: what fails its tag later was changed since.
  if (source_ == nullptr && error.code == ErrorCode::kIntegrity)
    return AuthError("the sealed model is not the one that was signed: " + error.message);
  // The owner signed a file that cannot be decrypted, or meant it for another key.
  if (error.code == ErrorCode::kIntegrity) error.code = ErrorCode::kAuth;
  return error;
}

Status SealedStream::VerifyCiphertext() {
  if (source_ == nullptr) return {};
  Blake2b512::Digest digest = TRY(source_->Finish());
  return VerifyDigest(signer_, signature_, digest);
}

}  // namespace soter
