#include "trusted/crypto/hkdf.h"

#include <vector>

#include "common/base/bytes.h"
#include "trusted/crypto/hmac.h"

namespace soter {

Secret<std::array<std::byte, 32>> HkdfSha256(std::span<const std::byte> input_key, std::span<const std::byte> salt,
                                             std::string_view info) {
  // HMAC pads its key with zeros, so the empty salt is RFC 5869's string of zeros.
  Secret<Sha256::Digest> extracted(HmacSha256(salt, input_key));
  std::vector<std::byte> first_block(AsBytes(info).begin(), AsBytes(info).end());
  first_block.push_back(std::byte{1});
  return Secret<Sha256::Digest>(HmacSha256(extracted.Expose(), first_block));
}

}  // namespace soter
