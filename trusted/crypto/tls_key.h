#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/secret_bytes.h"
#include "trusted/crypto/certificate.h"

struct evp_pkey_st;

namespace soter {

// TlsKey is a P-256 key pair for a TLS server or client.
class TlsKey {
 public:
  // Generate draws a fresh key. Errors: kUnavailable (no randomness).
  static Result<TlsKey> Generate();

  std::vector<std::byte> PublicKeyDer() const;  // SubjectPublicKeyInfo
  SecretBytes PrivateKeyDer() const;            // PKCS #8

  // SelfSign makes a certificate for this key, valid between two times in seconds since 1970, with one more,
  // non-critical, extension. Errors: kInvalidArgument (times that X.509 cannot say).
  struct Subject {
    std::string common_name;
    int64_t not_before, not_after;
    const char* extension_oid;
    ByteView extension;
  };
  Result<Certificate> SelfSign(const Subject& subject) const;

  evp_pkey_st* raw() const { return key_.get(); }

 private:
  explicit TlsKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace soter
