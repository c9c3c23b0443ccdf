#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/secret_bytes.h"
#include "trusted/crypto/ed25519.h"
#include "trusted/crypto/hash.h"

// Keys and signatures in minisign's format (https://jedisct1.github.io/minisign, "Signature format"): Ed25519 over
// a BLAKE2b-512 digest, with a trusted comment under a signature of its own.
namespace soter {

using MinisignKeyId = std::array<std::byte, 8>;

// MinisignKeyIdText returns the id as minisign prints it: sixteen upper-case hexadecimal digits.
std::string MinisignKeyIdText(const MinisignKeyId& id);

struct MinisignPublicKey {
  MinisignKeyId id;
  Ed25519PublicKey key;

  // Parse reads a public key file, or its second line alone as minisign's -P takes it. Errors: kMalformed.
  static Result<MinisignPublicKey> Parse(std::string_view text);

  std::string ToText() const;  // a public key file
};

// MinisignSecretKey is a key without a password, as `minisign -G -W` makes it.
class MinisignSecretKey {
 public:
  // Generate draws a fresh key. Errors: kUnavailable (no random bytes).
  static Result<MinisignSecretKey> Generate();

  // Parse reads a secret key file. Errors: kMalformed; kUnsupported (protected by a password).
  static Result<MinisignSecretKey> Parse(std::string_view text);

  MinisignPublicKey Public() const;
  SecretBytes ToText() const;  // a secret key file
  const MinisignKeyId& id() const { return id_; }
  const Ed25519Seed& seed() const { return seed_; }

 private:
  MinisignSecretKey(const MinisignKeyId& id, Ed25519Seed seed) : id_(id), seed_(std::move(seed)) {}

  MinisignKeyId id_;
  Ed25519Seed seed_;
};

struct MinisignSignature {
  bool is_prehashed;  // "ED": over the BLAKE2b-512 digest; else "Ed", the older form: over the message itself
  MinisignKeyId id;
  Ed25519Signature signature;
  std::string trusted_comment;
  Ed25519Signature comment_signature;

  // Parse reads a signature file. Nothing in it may be trusted before it is verified. Errors: kMalformed.
  static Result<MinisignSignature> Parse(std::string_view text);

  std::string ToText() const;  // a signature file
};

inline constexpr size_t kMaxTrustedCommentBytes = 4096;

// SignDigest signs a file by its digest. `trusted_comment` is one line of printable text.
// Errors: kInvalidArgument (such a comment cannot be written).
Result<MinisignSignature> SignDigest(const MinisignSecretKey& key, const Blake2b512::Digest& digest,
                                     std::string_view trusted_comment);

// VerifyComment succeeds when the owner of `key` wrote the trusted comment; of the file it says nothing.
// Errors: kAuth (signed with another key, or the comment was changed).
Status VerifyComment(const MinisignPublicKey& key, const MinisignSignature& signature);

// VerifyDigest succeeds when the owner of `key` signed the file with this digest and wrote the trusted comment.
// Errors: kAuth; kUnsupported (a signature of the older form, which is not over a digest).
Status VerifyDigest(const MinisignPublicKey& key, const MinisignSignature& signature,
                    const Blake2b512::Digest& digest);

// VerifyMessage does the same for a message that is all there, in either form. Errors: kAuth.
Status VerifyMessage(const MinisignPublicKey& key, const MinisignSignature& signature,
                     std::span<const std::byte> message);

}  // namespace soter
