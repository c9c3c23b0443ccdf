#include <algorithm>
#include <cstring>

#include "common/base/base64.h"
#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/crypto/random.h"
#include "trusted/seal/minisign.h"
#include "trusted/seal/minisign_format.h"

namespace soter {
namespace {

constexpr std::string_view kAlgorithm = "Ed";
constexpr std::string_view kChecksumAlgorithm = "B2";
constexpr size_t kPublicKeyBytes = 2 + 8 + 32;

// Offsets in a secret key: algorithm, key derivation, checksum algorithm, salt, two limits, id, seed, public key,
// checksum. Without a password the salt, the limits and the checksum are zero, as minisign writes them.
constexpr size_t kDerivationOffset = 2;
constexpr size_t kChecksumAlgorithmOffset = 4;
constexpr size_t kIdOffset = 2 + 2 + 2 + 32 + 8 + 8;
constexpr size_t kSeedOffset = kIdOffset + 8;
constexpr size_t kPublicOffset = kSeedOffset + 32;
constexpr size_t kSecretKeyBytes = kPublicOffset + 32 + 32;

bool HasTextAt(std::span<const std::byte> bytes, size_t offset, std::string_view text) {
  return AsText(bytes.subspan(offset, text.size())) == text;
}

template <size_t kBytes>
std::array<std::byte, kBytes> Take(std::span<const std::byte> bytes, size_t offset) {
  std::array<std::byte, kBytes> taken;
  std::ranges::copy(bytes.subspan(offset, kBytes), taken.begin());
  return taken;
}

void Put(std::span<std::byte> bytes, size_t offset, std::span<const std::byte> part) {
  std::ranges::copy(part, bytes.begin() + static_cast<ptrdiff_t>(offset));
}

// The base64 line of a key file, or the text itself where it is that line alone.
Result<std::string_view> KeyLine(std::string_view text) {
  if (!text.starts_with(internal::kUntrustedComment)) {
    std::vector<std::string_view> lines = TRY(internal::SplitMinisignLines(text, 1));
    return lines[0];
  }
  std::vector<std::string_view> lines = TRY(internal::SplitMinisignLines(text, 2));
  return lines[1];
}

Status CheckSecretKeyKind(std::span<const std::byte> raw) {
  if (!HasTextAt(raw, 0, kAlgorithm) || !HasTextAt(raw, kChecksumAlgorithmOffset, kChecksumAlgorithm)) {
    return Malformed("not a minisign secret key: its algorithm is unknown");
  }
  if (HasTextAt(raw, kDerivationOffset, "Sc")) {
    return Unsupported("the minisign key has a password; use one without (minisign -G -W, or soter keygen)");
  }
  if (!HasTextAt(raw, kDerivationOffset, std::string_view("\0\0", 2))) {
    return Malformed("not a minisign secret key: its key derivation is unknown");
  }
  return {};
}

}  // namespace

std::string MinisignKeyIdText(const MinisignKeyId& id) {
  MinisignKeyId reversed = id;  // minisign prints it as a little-endian number
  std::ranges::reverse(reversed);
  std::string text = EncodeHex(reversed);
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

Result<MinisignPublicKey> MinisignPublicKey::Parse(std::string_view text) {
  std::string_view line = TRY(KeyLine(text));
  std::array<std::byte, kPublicKeyBytes> raw;
  size_t size_bytes = TRY(DecodeBase64To(line, Base64::kPadded, raw));
  if (size_bytes != raw.size() || !HasTextAt(raw, 0, kAlgorithm)) return Malformed("not a minisign public key");
  return MinisignPublicKey{Take<8>(raw, 2), Take<32>(raw, 10)};
}

std::string MinisignPublicKey::ToText() const {
  std::array<std::byte, kPublicKeyBytes> raw;
  Put(raw, 0, AsBytes(kAlgorithm));
  Put(raw, 2, id);
  Put(raw, 10, key);
  return std::string(internal::kUntrustedComment) + "minisign public key " + MinisignKeyIdText(id) + "\n" +
         EncodeBase64(raw, Base64::kPadded) + "\n";
}

Result<MinisignSecretKey> MinisignSecretKey::Generate() {
  MinisignKeyId id;
  TRY(FillRandom(id));
  Ed25519Seed seed = TRY(RandomSecret<32>());
  return MinisignSecretKey(id, std::move(seed));
}

Result<MinisignSecretKey> MinisignSecretKey::Parse(std::string_view text) {
  std::string_view line = TRY(KeyLine(text));
  Secret<std::array<std::byte, kSecretKeyBytes>> secret;
  std::span<std::byte> raw(secret.Expose());
  size_t size_bytes = TRY(DecodeBase64To(line, Base64::kPadded, raw));
  if (size_bytes != raw.size()) return Malformed("not a minisign secret key: its length is wrong");
  TRY(CheckSecretKeyKind(raw));
  Ed25519Seed seed(Take<32>(raw, kSeedOffset));
  if (Ed25519Public(seed) != Take<32>(raw, kPublicOffset)) {
    return Malformed("the minisign secret key is damaged: its two halves do not belong together");
  }
  return MinisignSecretKey(Take<8>(raw, kIdOffset), std::move(seed));
}

MinisignPublicKey MinisignSecretKey::Public() const { return {.id = id_, .key = Ed25519Public(seed_)}; }

SecretBytes MinisignSecretKey::ToText() const {
  Secret<std::array<std::byte, kSecretKeyBytes>> secret;
  std::span<std::byte> raw(secret.Expose());
  Put(raw, 0, AsBytes(kAlgorithm));
  Put(raw, kChecksumAlgorithmOffset, AsBytes(kChecksumAlgorithm));
  Put(raw, kIdOffset, id_);
  Put(raw, kSeedOffset, seed_.Expose());
  Put(raw, kPublicOffset, Ed25519Public(seed_));
  std::string encoded = EncodeBase64(raw, Base64::kPadded);
  std::string comment = std::string(internal::kUntrustedComment) + "minisign secret key " + MinisignKeyIdText(id_) + "\n";
  SecretBytes text(comment.size() + encoded.size() + 1);
  Put(text.Expose(), 0, AsBytes(comment));
  Put(text.Expose(), comment.size(), AsBytes(encoded));
  text.Expose().back() = std::byte{'\n'};
  Wipe(std::as_writable_bytes(std::span(encoded)));
  return text;
}

}  // namespace soter
