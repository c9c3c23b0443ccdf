#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/secret_bytes.h"
#include "trusted/crypto/x25519.h"
#include "trusted/seal/age_header.h"

// X25519 recipients and identities of age v1 (C2SP age.md, "The X25519 recipient type").
namespace soter {

using AgeFileKey = Secret<std::array<std::byte, 16>>;

// AgeRecipient is a public key, to which files are encrypted.
class AgeRecipient {
 public:
  explicit AgeRecipient(const X25519PublicKey& key) : key_(key) {}

  // Parse reads "age1...". Errors: kMalformed.
  static Result<AgeRecipient> Parse(std::string_view text);

  std::string ToText() const;
  const X25519PublicKey& key() const { return key_; }

  // Wrap encrypts `file_key` to this recipient with a fresh ephemeral key.
  // Errors: kMalformed (a key of low order), kUnavailable (no random bytes).
  Result<AgeStanza> Wrap(const AgeFileKey& file_key) const;

 private:
  X25519PublicKey key_;
};

// AgeIdentity is the secret key that opens what its recipient was sent.
class AgeIdentity {
 public:
  // Generate draws a fresh identity. Errors: kUnavailable (no random bytes).
  static Result<AgeIdentity> Generate();

  // Parse reads "AGE-SECRET-KEY-1...". Errors: kMalformed.
  static Result<AgeIdentity> Parse(std::string_view text);

  const AgeRecipient& recipient() const { return recipient_; }

  // ToText returns "AGE-SECRET-KEY-1...".
  SecretBytes ToText() const;

  // Unwrap returns the file key of the first stanza that this identity opens.
  // Errors: kMalformed (an X25519 stanza that no honest peer writes), kAuth (none is for this identity).
  Result<AgeFileKey> Unwrap(const std::vector<AgeStanza>& stanzas) const;

 private:
  explicit AgeIdentity(X25519SecretKey key) : key_(std::move(key)), recipient_(X25519Public(key_)) {}

  X25519SecretKey key_;
  AgeRecipient recipient_;
};

// ParseAgeIdentities reads an identity file as age-keygen writes it: one identity a line, and comments after '#'.
// Errors: kMalformed (which line).
Result<std::vector<AgeIdentity>> ParseAgeIdentities(std::string_view text);

}  // namespace soter
