#include "trusted/seal/sealed_stream.h"

#include "trusted/crypto/constant_time.h"

namespace soter {

Result<SealedStream> SealedStream::Start(ByteSource ciphertext, const OpenRequest& request) {
  MinisignSignature signature = TRY(MinisignSignature::Parse(request.signature));
  TRY(VerifyComment(request.signer, signature));
  ModelComment comment = TRY(ModelComment::Parse(signature.trusted_comment));
  SealedStream stream(request.signer, std::move(signature), std::move(comment));
  stream.source_ = TRY(DigestedSource::Start(std::move(ciphertext)));
  ByteSource digested = [source = stream.source_.get()](std::span<std::byte> out) { return source->Read(out); };
  Result<AgeDecryptor> decryptor = AgeDecryptor::Open(std::move(digested), request.identities);
  if (!decryptor.ok()) return stream.Explain(std::move(decryptor).error());
  stream.decryptor_ = *std::move(decryptor);
  return stream;
}

Result<size_t> SealedStream::Read(std::span<std::byte> out) {
  Result<size_t> size_bytes = decryptor_->Read(out);
  if (!size_bytes.ok()) return Explain(std::move(size_bytes).error());
  plaintext_hasher_.Update(out.first(*size_bytes));
  return size_bytes;
}

Result<ModelComment> SealedStream::Finish() {
  TRY(VerifyCiphertext());
  if (!ConstantTimeEqual(std::move(plaintext_hasher_).Finish(), comment_.digest)) {
    return AuthError("the sealed model's plaintext is not what its signature says");
  }
  return comment_;
}

Error SealedStream::Explain(Error error) {
  bool is_about_content = error.code == ErrorCode::kMalformed || error.code == ErrorCode::kIntegrity;
  if (!is_about_content && error.code != ErrorCode::kAuth) return error;
  Status verified = VerifyCiphertext();
  if (!verified.ok()) return std::move(verified).error();
  // The owner signed a file that cannot be decrypted, or meant it for another key.
  if (error.code == ErrorCode::kIntegrity) error.code = ErrorCode::kAuth;
  return error;
}

Status SealedStream::VerifyCiphertext() {
  Blake2b512::Digest digest = TRY(source_->Finish());
  return VerifyDigest(signer_, signature_, digest);
}

}  // namespace soter
