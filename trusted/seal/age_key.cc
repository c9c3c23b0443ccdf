#include "trusted/seal/age_key.h"

#include <algorithm>

#include "common/base/base64.h"
#include "common/base/bech32.h"
#include "common/base/bytes.h"
#include "trusted/crypto/aead.h"
#include "trusted/crypto/hkdf.h"
#include "trusted/crypto/random.h"

namespace soter {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "AGE-SECRET-KEY-";
constexpr std::string_view kStanzaKind = "X25519";
constexpr std::string_view kWrapInfo = "age-encryption.org/v1/X25519";
constexpr size_t kWrappedKeyBytes = 16 + kAeadTagBytes;

// The key that wraps a file key; it serves once, so its nonce is zero.
Result<AeadKey> WrapKey(const X25519SecretKey& secret, const X25519PublicKey& peer, const X25519PublicKey& share,
                        const X25519PublicKey& recipient) {
  X25519SecretKey shared = TRY(X25519Shared(secret, peer));
  std::array<std::byte, 64> salt;
  std::ranges::copy(share, salt.begin());
  std::ranges::copy(recipient, salt.begin() + share.size());
  return HkdfSha256(shared.Expose(), salt, kWrapInfo);
}

Result<X25519PublicKey> ParseShare(const AgeStanza& stanza) {
  if (stanza.arguments.size() != 2) return Malformed("an X25519 stanza has other than one argument");
  X25519PublicKey share;
  size_t size_bytes = TRY(DecodeBase64To(stanza.arguments[1], Base64::kRaw, share));
  if (size_bytes != share.size()) return Malformed("an X25519 stanza has a share of other than 32 bytes");
  if (stanza.body.size() != kWrappedKeyBytes) return Malformed("an X25519 stanza has a body of other than 32 bytes");
  return share;
}

// Decodes a bech32 key of 32 bytes into `key`, whose intermediate copies are wiped.
Status ParseKey(std::string_view text, std::string_view prefix, std::span<std::byte, 32> key) {
  Bech32 decoded = TRY(DecodeBech32(text));
  bool fits = decoded.prefix == prefix && decoded.data.size() == key.size();
  if (fits) std::ranges::copy(decoded.data, key.begin());
  Wipe(decoded.data);
  if (!fits) return Malformed("an age key has another kind or length");
  return {};
}

}  // namespace

Result<AgeRecipient> AgeRecipient::Parse(std::string_view text) {
  X25519PublicKey key;
  Status parsed = ParseKey(text, kRecipientPrefix, key);
  if (!parsed.ok()) return Annotate(std::move(parsed).error(), "not an age recipient (age1...)");
  return AgeRecipient(key);
}

std::string AgeRecipient::ToText() const { return EncodeBech32(kRecipientPrefix, key_); }

Result<AgeStanza> AgeRecipient::Wrap(const AgeFileKey& file_key) const {
  X25519SecretKey ephemeral = TRY(RandomSecret<32>());
  X25519PublicKey share = X25519Public(ephemeral);
  AeadKey wrap_key = TRY(WrapKey(ephemeral, key_, share, key_));
  AgeStanza stanza = {.arguments = {std::string(kStanzaKind), EncodeBase64(share, Base64::kRaw)},
                      .body = std::vector<std::byte>(kWrappedKeyBytes)};
  ChaCha20Poly1305(wrap_key).Seal({}, {}, file_key.Expose(), stanza.body);
  return stanza;
}

Result<AgeIdentity> AgeIdentity::Generate() {
  X25519SecretKey key = TRY(RandomSecret<32>());
  return AgeIdentity(std::move(key));
}

Result<AgeIdentity> AgeIdentity::Parse(std::string_view text) {
  X25519SecretKey key;
  Status parsed = ParseKey(text, kIdentityPrefix, key.Expose());
  if (!parsed.ok()) return Annotate(std::move(parsed).error(), "not an age identity (AGE-SECRET-KEY-1...)");
  return AgeIdentity(std::move(key));
}

SecretBytes AgeIdentity::ToText() const {
  std::string text = EncodeBech32("age-secret-key-", key_.Expose());
  SecretBytes upper(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    upper.Expose()[i] = static_cast<std::byte>(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
  }
  Wipe(std::as_writable_bytes(std::span(text)));
  return upper;
}

Result<AgeFileKey> AgeIdentity::Unwrap(const std::vector<AgeStanza>& stanzas) const {
  for (const AgeStanza& stanza : stanzas) {
    if (stanza.arguments[0] != kStanzaKind) continue;
    X25519PublicKey share = TRY(ParseShare(stanza));
    AeadKey wrap_key = TRY(WrapKey(key_, share, share, recipient_.key()));
    AgeFileKey file_key;
    if (ChaCha20Poly1305(wrap_key).Open({}, {}, stanza.body, file_key.Expose()).ok()) return file_key;
  }
  return AuthError("the file was not encrypted to " + recipient_.ToText());
}

Result<std::vector<AgeIdentity>> ParseAgeIdentities(std::string_view text) {
  std::vector<AgeIdentity> identities;
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    Result<AgeIdentity> identity = AgeIdentity::Parse(line);
    if (!identity.ok()) return Annotate(std::move(identity).error(), "line " + std::to_string(line_number));
    identities.push_back(*std::move(identity));
  }
  if (identities.empty()) return Malformed("no age identity (AGE-SECRET-KEY-1...) in the file");
  return identities;
}

}  // namespace soter
