#include "trusted/crypto/constant_time.h"

#include <openssl/crypto.h>

namespace soter {

bool ConstantTimeEqual(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace soter
