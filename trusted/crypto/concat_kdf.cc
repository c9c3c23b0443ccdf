#include "trusted/crypto/concat_kdf.h"

#include <algorithm>
#include <array>

#include "trusted/crypto/hash.h"

namespace soter {
namespace {

void UpdateNumber(Sha256& hasher, uint32_t number) {
  std::array<std::byte, 4> big_endian;
  for (int i = 0; i < 4; ++i) big_endian[i] = static_cast<std::byte>(number >> (24 - 8 * i));
  hasher.Update(big_endian);
}

void UpdateWithLength(Sha256& hasher, ByteView bytes) {
  UpdateNumber(hasher, static_cast<uint32_t>(bytes.size()));
  hasher.Update(bytes);
}

}  // namespace

SecretBytes ConcatKdf(ByteView secret, const ConcatKdfInfo& info, size_t key_bytes) {
  SecretBytes key(key_bytes);
  std::span<std::byte> rest = key.Expose();
  for (uint32_t round = 1; !rest.empty(); ++round) {
    Sha256 hasher;
    UpdateNumber(hasher, round);
    hasher.Update(secret);
    UpdateWithLength(hasher, AsBytes(info.algorithm));
    UpdateWithLength(hasher, info.party_u);
    UpdateWithLength(hasher, info.party_v);
    UpdateNumber(hasher, static_cast<uint32_t>(8 * key_bytes));
    Secret<Sha256::Digest> block(std::move(hasher).Finish());
    size_t taken = std::min(rest.size(), block.Expose().size());
    std::copy_n(block.Expose().begin(), taken, rest.begin());
    rest = rest.subspan(taken);
  }
  return key;
}

}  // namespace soter
