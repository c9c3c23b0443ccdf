#pragma once

// What the .cc files of trusted/crypto share of OpenSSL; nothing outside trusted/crypto includes this.

#include <openssl/evp.h>
#include <openssl/types.h>

#include <memory>

#include "trusted/crypto/hash.h"

namespace soter::internal {

// OpenSslLibrary is a library context of our own: it reads no configuration file and no OPENSSL_CONF, so that
// the host cannot choose another implementation of a primitive.
OSSL_LIB_CTX* OpenSslLibrary();

// OpenSslHash returns the fetched implementation of `algorithm`, which lives as long as the process.
const EVP_MD* OpenSslHash(HashAlgorithm algorithm);

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeKeyContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeKeyContext>;
using HashContext = std::unique_ptr<EVP_MD_CTX, FreeHashContext>;

inline const unsigned char* Raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }
inline unsigned char* Raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

}  // namespace soter::internal
