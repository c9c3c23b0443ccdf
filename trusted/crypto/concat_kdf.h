#pragma once

#include <string_view>

#include "common/base/bytes.h"
#include "common/base/secret_bytes.h"

namespace soter {

// ConcatKdfInfo names who agreed and on what (NIST SP 800-56A, 5.8.1; RFC 7518, 4.6.2).
struct ConcatKdfInfo {
  std::string_view algorithm;
  ByteView party_u = {}, party_v = {};
};

// ConcatKdf derives `key_bytes` from a shared secret with SHA-256.
SecretBytes ConcatKdf(ByteView secret, const ConcatKdfInfo& info, size_t key_bytes);

}  // namespace soter
