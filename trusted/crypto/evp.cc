#include "trusted/crypto/evp.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "common/base/check.h"

namespace soter::internal {
namespace {

EVP_MD* FetchHash(const char* name) {
  EVP_MD* hash = EVP_MD_fetch(OpenSslLibrary(), name, nullptr);
  CHECK(hash != nullptr, "this OpenSSL lacks a hash function that Soter needs");
  return hash;
}

}  // namespace

OSSL_LIB_CTX* OpenSslLibrary() {
  static OSSL_LIB_CTX* const library = [] {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
    OSSL_LIB_CTX* created = OSSL_LIB_CTX_new();
    CHECK(created != nullptr, "OpenSSL cannot make a library context");
    return created;
  }();
  return library;
}

const EVP_MD* OpenSslHash(HashAlgorithm algorithm) {
  static EVP_MD* const sha256 = FetchHash("SHA2-256");
  static EVP_MD* const sha384 = FetchHash("SHA2-384");
  static EVP_MD* const sha512 = FetchHash("SHA2-512");
  static EVP_MD* const blake2b512 = FetchHash("BLAKE2B-512");
  switch (algorithm) {
    case HashAlgorithm::kSha256: return sha256;
    case HashAlgorithm::kSha384: return sha384;
    case HashAlgorithm::kSha512: return sha512;
    case HashAlgorithm::kBlake2b512: return blake2b512;
  }
  CHECK(false, "no such hash");
  return nullptr;
}

}  // namespace soter::internal
