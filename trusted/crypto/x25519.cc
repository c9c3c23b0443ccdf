#include "trusted/crypto/x25519.h"

#include <openssl/err.h>

#include "common/base/check.h"
#include "trusted/crypto/evp.h"

namespace soter {
namespace {

using internal::Key;
using internal::KeyContext;
using internal::OpenSslLibrary;
using internal::Raw;

Key LoadSecret(const X25519SecretKey& secret) {
  Key key(EVP_PKEY_new_raw_private_key_ex(OpenSslLibrary(), "X25519", nullptr, Raw(secret.Expose().data()), 32));
  CHECK(key != nullptr, "OpenSSL takes no X25519 secret key");
  return key;
}

}  // namespace

X25519PublicKey X25519Public(const X25519SecretKey& secret) {
  X25519PublicKey result;
  size_t size_bytes = result.size();
  int done = EVP_PKEY_get_raw_public_key(LoadSecret(secret).get(), Raw(result.data()), &size_bytes);
  CHECK(done == 1 && size_bytes == result.size(), "OpenSSL gives no X25519 public key");
  return result;
}

Result<X25519SecretKey> X25519Shared(const X25519SecretKey& secret, const X25519PublicKey& peer) {
  Key own = LoadSecret(secret);
  Key other(EVP_PKEY_new_raw_public_key_ex(OpenSslLibrary(), "X25519", nullptr, Raw(peer.data()), peer.size()));
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(OpenSslLibrary(), own.get(), nullptr));
  CHECK(other != nullptr && context != nullptr, "OpenSSL takes no X25519 public key");
  CHECK(EVP_PKEY_derive_init(context.get()) == 1, "OpenSSL cannot start X25519");
  CHECK(EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1, "OpenSSL takes no X25519 peer");
  X25519SecretKey shared;
  size_t size_bytes = shared.Expose().size();
  // OpenSSL fails here exactly when the shared secret is zero (RFC 7748, section 6.1).
  if (EVP_PKEY_derive(context.get(), Raw(shared.Expose().data()), &size_bytes) != 1) {
    ERR_clear_error();
    return Malformed("an X25519 public key has low order");
  }
  return shared;
}

}  // namespace soter
