#pragma once

#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/secret_bytes.h"
#include "trusted/crypto/aead.h"

// AES-256 key wrap (RFC 3394).
namespace soter {

inline constexpr size_t kKeyWrapOverheadBytes = 8;

// WrapKey encrypts `key`, whose length is a multiple of 8 from 16 to 1024.
std::vector<std::byte> WrapKey(const AeadKey& wrapping_key, ByteView key);

// UnwrapKey is its inverse. Errors: kMalformed (a length that no wrapped key has), kAuth (another wrapping key, or
// changed bytes).
Result<SecretBytes> UnwrapKey(const AeadKey& wrapping_key, ByteView wrapped);

}  // namespace soter
