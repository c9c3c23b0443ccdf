#include "trusted/crypto/key_wrap.h"

#include <openssl/err.h>

#include "common/base/check.h"
#include "trusted/crypto/evp.h"

namespace soter {
namespace {

using internal::Raw;

constexpr size_t kBlockBytes = 8, kMinKeyBytes = 16, kMaxKeyBytes = 1024;

bool IsKeyLength(size_t size_bytes) {
  return size_bytes % kBlockBytes == 0 && size_bytes >= kMinKeyBytes && size_bytes <= kMaxKeyBytes;
}

const EVP_CIPHER* Cipher() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(internal::OpenSslLibrary(), "AES-256-WRAP", nullptr);
  CHECK(cipher != nullptr, "this OpenSSL lacks AES key wrap");
  return cipher;
}

// Runs the cipher over `in`; false where it refuses.
bool Run(bool wrap, const AeadKey& key, ByteView in, std::span<std::byte> out) {
  std::unique_ptr<EVP_CIPHER_CTX, internal::FreeCipherContext> context(EVP_CIPHER_CTX_new());
  CHECK(context, "out of memory");
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  int size_bytes = 0;
  int started = EVP_CipherInit_ex(context.get(), Cipher(), nullptr, Raw(key.Expose().data()), nullptr, wrap ? 1 : 0);
  CHECK(started == 1, "AES key wrap cannot be started");
  int done = EVP_CipherUpdate(context.get(), Raw(out.data()), &size_bytes, Raw(in.data()), static_cast<int>(in.size()));
  ERR_clear_error();
  return done == 1 && static_cast<size_t>(size_bytes) == out.size();
}

}  // namespace

std::vector<std::byte> WrapKey(const AeadKey& wrapping_key, ByteView key) {
  CHECK(IsKeyLength(key.size()), "not a key that can be wrapped");
  std::vector<std::byte> wrapped(key.size() + kKeyWrapOverheadBytes);
  CHECK(Run(true, wrapping_key, key, wrapped), "AES key wrap cannot go on");
  return wrapped;
}

Result<SecretBytes> UnwrapKey(const AeadKey& wrapping_key, ByteView wrapped) {
  if (wrapped.size() < kKeyWrapOverheadBytes || !IsKeyLength(wrapped.size() - kKeyWrapOverheadBytes))
    return Malformed("a wrapped key has a wrong length");
  SecretBytes key(wrapped.size() - kKeyWrapOverheadBytes);
  // OpenSSL writes a block more than the key while it unwraps.
  SecretBytes room(wrapped.size());
  if (!Run(false, wrapping_key, wrapped, room.Expose().first(key.Expose().size())))
    return AuthError("a wrapped key was changed, or is for another key");
  std::ranges::copy(std::as_const(room).Expose().first(key.Expose().size()), key.Expose().begin());
  return key;
}

}  // namespace soter
