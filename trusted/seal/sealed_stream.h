#pragma once

#include <memory>
#include <optional>

#include "trusted/seal/digested_source.h"
#include "trusted/seal/sealed_model.h"

namespace soter {

// SealedStream decrypts a sealed model and finds out whether its ciphertext is the one that was signed: by the digest of
// its head, where the signature's comment has that (the rest then follows from the plaintext: docs/spec/sealed-model.md,
// 4), and else by digesting all of it meanwhile. What Read returned may be kept, but not looked at, until Finish has
// succeeded.
class SealedStream {
 public:
  // Start verifies the signature's comment and reads the age header.
  // Errors: kAuth, kMalformed, kExhausted, those of `ciphertext`.
  static Result<SealedStream> Start(ByteSource ciphertext, const OpenRequest& request);

  // Read decrypts the next chunk, as AgeDecryptor::Read. Errors: kAuth, kMalformed, those of the source.
  Result<size_t> Read(std::span<std::byte> out);

  // Finish succeeds when the ciphertext was signed and `plaintext`, the digest of all that Read returned, is what the
  // signature's comment says; Read must have returned 0. Errors: kAuth, those of the source.
  Result<ModelComment> Finish(const Sha256::Digest& plaintext);

 private:
  SealedStream(const MinisignPublicKey& signer, MinisignSignature signature, ModelComment comment)
      : signer_(signer), signature_(std::move(signature)), comment_(std::move(comment)) {}

  // Explain finds out why decryption failed: where the file is not the one that was signed, that is the reason.
  Error Explain(Error error);
  Status OpenAge(ByteSource source, std::span<const AgeIdentity> identities);
  Status VerifyCiphertext();

  MinisignPublicKey signer_;
  MinisignSignature signature_;
  ModelComment comment_;
  std::unique_ptr<DigestedSource> source_;  // nothing where the comment has the head's digest
  std::optional<AgeDecryptor> decryptor_;
};

}  // namespace soter
