#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/stream.h"
#include "trusted/crypto/locked_memory.h"
#include "trusted/seal/age.h"
#include "trusted/seal/minisign.h"
#include "trusted/seal/model_policy.h"

// A sealed model: an age file whose plaintext is a policy and a graph, and a detached minisign signature of it
// (docs/spec/sealed-model.md).
namespace soter {

inline constexpr size_t kMaxSignatureBytes = 32 * 1024;

// ContentWriter writes the canonical graph through the sink it is given, as EncodeGraph does.
using ContentWriter = std::function<Status(const ByteSink&)>;

struct SealRequest {
  const ModelPolicy& policy;
  std::span<const AgeRecipient> recipients;
  const MinisignSecretKey& signer;
};

// SealModel encrypts policy and graph into `ciphertext`, in bounded memory, and returns the signature.
// Errors: kInvalidArgument (policy, recipients); kUnavailable (no random bytes); those of the writer and the sink.
Result<MinisignSignature> SealModel(const SealRequest& request, const ContentWriter& write_content,
                                    ByteSink ciphertext);

// ReleaseTerms are what a broker released the key for: the sealed model must be exactly that. The minima hold beside
// those of the model's own policy.
struct ReleaseTerms {
  std::string name;
  uint64_t version;
  Sha256::Digest digest;
  control::Scheme min_scheme;
  control::Check min_check;
};

struct OpenRequest {
  std::span<const AgeIdentity> identities;
  const MinisignPublicKey& signer;
  std::string_view signature;                 // the text of the signature file
  std::optional<ReleaseTerms> terms = std::nullopt;
};

// OpenedModel is the plaintext of a model whose signature, ciphertext and plaintext all matched.
class OpenedModel {
 public:
  // policy is the model's own, with the release's minima where they are stronger.
  const ModelPolicy& policy() const { return policy_; }
  const Sha256::Digest& digest() const { return digest_; }

  // graph is the canonical encoding, in locked memory, aligned to kPolicyAlignment.
  std::span<const std::byte> graph() const {
    return std::as_const(plaintext_).bytes().subspan(header_bytes_, graph_bytes_);
  }

 private:
  friend Result<OpenedModel> OpenSealedModel(ByteSource, uint64_t, const OpenRequest&);
  OpenedModel() = default;

  ModelPolicy policy_;
  Sha256::Digest digest_;
  LockedBuffer plaintext_;
  size_t header_bytes_ = 0;
  size_t graph_bytes_ = 0;
};

// OpenSealedModel reads `ciphertext`, of `ciphertext_bytes`, once: what is digested is what is decrypted. Nothing of
// the plaintext is looked at before the signature, the ciphertext's digest and the plaintext's digest all match.
// Errors: kAuth (another signer or recipient; changed, truncated or exchanged; not what was released);
// kMalformed, kUnsupported (signed so by its owner); kExhausted (memory to lock); those of `ciphertext`.
// Leaks: time depends on sizes and on whether the model is accepted.
Result<OpenedModel> OpenSealedModel(ByteSource ciphertext, uint64_t ciphertext_bytes, const OpenRequest& request);

struct ResealRequest {
  const OpenRequest& open;
  std::span<const AgeRecipient> recipients;
  const MinisignSecretKey& signer;
};

// ResealModel encrypts the same plaintext to other recipients and signs it anew, in bounded memory, without the
// graph ever being decoded or written. What went to `resealed` must be thrown away unless this succeeds.
// Errors: those of OpenSealedModel and SealModel.
Result<MinisignSignature> ResealModel(ByteSource ciphertext, const ResealRequest& request, ByteSink resealed);

// SealedModelInfo is what can be known without a key.
struct SealedModelInfo {
  ModelComment comment;                        // trustworthy only when `is_verified`
  MinisignKeyId signer;
  std::vector<std::string> recipient_kinds;    // one for each stanza; who they are cannot be seen
  uint64_t ciphertext_bytes;
  uint64_t plaintext_bytes;
  bool is_verified;                            // the signature is of the given key and of this very file
};

// InspectSealedModel reads the header, and with a `signer` the whole file to verify it.
// Errors: kMalformed (not a sealed model); kAuth (not signed by `signer`); those of `ciphertext`.
Result<SealedModelInfo> InspectSealedModel(ByteSource ciphertext, uint64_t ciphertext_bytes,
                                           std::string_view signature, const MinisignPublicKey* signer);

}  // namespace soter
