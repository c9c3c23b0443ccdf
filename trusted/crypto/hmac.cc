#include "trusted/crypto/hmac.h"

#include <algorithm>
#include <array>

#include "common/base/secret.h"

namespace soter {
namespace {

constexpr size_t kBlockBytes = 64;
using Block = Secret<std::array<std::byte, kBlockBytes>>;

Block PaddedKey(std::span<const std::byte> key, std::byte pad) {
  Block block;
  if (key.size() > kBlockBytes) {
    Secret<Sha256::Digest> digest(Digest<Sha256>(key));
    std::ranges::copy(digest.Expose(), block.Expose().begin());
  } else {
    std::ranges::copy(key, block.Expose().begin());
  }
  for (std::byte& byte : block.Expose()) byte ^= pad;
  return block;
}

}  // namespace

Sha256::Digest HmacSha256(std::span<const std::byte> key, std::span<const std::byte> message) {
  Sha256 inner;
  inner.Update(PaddedKey(key, std::byte{0x36}).Expose());
  inner.Update(message);
  Sha256 outer;
  outer.Update(PaddedKey(key, std::byte{0x5c}).Expose());
  outer.Update(std::move(inner).Finish());
  return std::move(outer).Finish();
}

}  // namespace soter
