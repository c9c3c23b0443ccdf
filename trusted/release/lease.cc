#include "trusted/release/lease.h"

#include <algorithm>
#include <array>

#include "common/base/reader.h"
#include "common/base/writer.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/crypto/aead.h"
#include "trusted/crypto/hkdf.h"
#include "trusted/crypto/random.h"

namespace soter {
namespace {

constexpr std::string_view kMagic = "soter-lease-1\n\0\0", kPurpose = "soter lease 1";
constexpr size_t kSaltBytes = 32, kFixedBytes = 4 + 4 + 8;

// A key for each file, so that a lease may be written any number of times: its nonce is 0.
Result<AeadKey> KeyOf(Platform& platform, ByteView salt) {
  Secret<std::array<std::byte, 32>> sealing = TRY(platform.SealingKey(kPurpose));
  return HkdfSha256(sealing.Expose(), salt, kPurpose);
}

}  // namespace

Result<std::vector<std::byte>> SealLease(const Lease& lease, Platform& platform) {
  ByteView resource = lease.resource.Expose();
  Writer fixed;
  fixed.WriteNumber<uint32_t>(lease.starts_allowed);
  fixed.WriteNumber<uint32_t>(lease.starts_used);
  fixed.WriteNumber<int64_t>(lease.not_after_s);
  std::vector<std::byte> numbers = std::move(fixed).Take();
  SecretBytes plaintext(kFixedBytes + resource.size());
  std::ranges::copy(numbers, plaintext.Expose().begin());
  std::ranges::copy(resource, plaintext.Expose().begin() + kFixedBytes);

  std::array<std::byte, kSaltBytes> salt;
  TRY(FillRandom(salt));
  Writer writer;
  writer.WriteBytes(AsBytes(kMagic));
  writer.WriteBytes(salt);
  std::vector<std::byte> file = std::move(writer).Take();
  size_t header_bytes = file.size();
  file.resize(header_bytes + plaintext.Expose().size() + kAeadTagBytes);
  std::span<std::byte> all(file);
  Aes256Gcm(TRY(KeyOf(platform, salt)))
      .Seal(AeadNonce{}, all.first(header_bytes), plaintext.Expose(), all.subspan(header_bytes));
  return file;
}

Result<Lease> OpenLease(ByteView sealed, Platform& platform) {
  constexpr size_t kHeaderBytes = kMagic.size() + kSaltBytes;
  bool plausible = sealed.size() >= kHeaderBytes + kFixedBytes + kAeadTagBytes && sealed.size() <= kMaxLeaseBytes &&
                   AsText(sealed.first(kMagic.size())) == kMagic;
  if (!plausible) return AuthError("it is no lease");
  AeadKey key = TRY(KeyOf(platform, sealed.subspan(kMagic.size(), kSaltBytes)));
  SecretBytes plaintext(sealed.size() - kHeaderBytes - kAeadTagBytes);
  Status opened =
      Aes256Gcm(key).Open(AeadNonce{}, sealed.first(kHeaderBytes), sealed.subspan(kHeaderBytes), plaintext.Expose());
  if (!opened.ok()) return AuthError("it was changed, or is for another machine or another program");
  Reader reader(plaintext.Expose());
  Lease lease = {.resource = SecretBytes(plaintext.Expose().size() - kFixedBytes)};
  lease.starts_allowed = TRY(reader.ReadNumber<uint32_t>());
  lease.starts_used = TRY(reader.ReadNumber<uint32_t>());
  lease.not_after_s = TRY(reader.ReadNumber<int64_t>());
  std::ranges::copy(plaintext.Expose().subspan(kFixedBytes), lease.resource.Expose().begin());
  return lease;
}

Status UseLease(Lease& lease, int64_t now_s) {
  if (now_s >= lease.not_after_s) return AuthError("it ended at " + FormatTimestamp(lease.not_after_s));
  if (lease.starts_used >= lease.starts_allowed)
    return AuthError("it is used up: all of its " + std::to_string(lease.starts_allowed) + " starts were made");
  ++lease.starts_used;
  return {};
}

}  // namespace soter
