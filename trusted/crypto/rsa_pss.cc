#include "trusted/crypto/rsa_pss.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/base/check.h"
#include "trusted/crypto/evp.h"

namespace soter {
namespace {

using internal::Raw;

Result<internal::Key> LoadKey(std::span<const std::byte> public_key) {
  const unsigned char* der = Raw(public_key.data());
  internal::Key key(d2i_PUBKEY_ex(nullptr, &der, static_cast<long>(public_key.size()), internal::OpenSslLibrary(),
                                  nullptr));
  ERR_clear_error();
  bool whole = key != nullptr && der == Raw(public_key.data()) + public_key.size();
  if (!whole || EVP_PKEY_is_a(key.get(), "RSA") != 1) return Malformed("not an RSA public key in DER");
  int bits = EVP_PKEY_get_bits(key.get());
  if (bits < 2048 || bits > 8192) return Malformed("an RSA key must have 2048 to 8192 bits");
  return key;
}

}  // namespace

Status VerifyRsaPss(HashAlgorithm hash, std::span<const std::byte> public_key, std::span<const std::byte> message,
                    std::span<const std::byte> signature) {
  internal::Key key = TRY(LoadKey(public_key));
  internal::HashContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // belongs to `context`
  const char* name = EVP_MD_get0_name(internal::OpenSslHash(hash));
  int ready = EVP_DigestVerifyInit_ex(context.get(), &options, name, internal::OpenSslLibrary(), nullptr, key.get(),
                                      nullptr);
  ready = ready == 1 && EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
          EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
  CHECK(ready == 1, "OpenSSL cannot start RSA-PSS");
  int verdict =
      EVP_DigestVerify(context.get(), Raw(signature.data()), signature.size(), Raw(message.data()), message.size());
  ERR_clear_error();
  if (verdict != 1) return AuthError("an RSA-PSS signature is not of this key and message");
  return {};
}

}  // namespace soter
