#include "trusted/crypto/ecdsa.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <memory>
#include <vector>

#include "common/base/check.h"
#include "trusted/crypto/evp.h"

namespace soter {
namespace {

using internal::Raw;

struct Curve {
  const char* group;
  size_t coordinate_bytes;
  HashAlgorithm hash;
};

Curve CurveOf(EcdsaKind kind) {
  if (kind == EcdsaKind::kP256Sha256) return {"P-256", 32, HashAlgorithm::kSha256};
  return {"P-384", 48, HashAlgorithm::kSha384};
}

Result<internal::Key> LoadPoint(const Curve& curve, std::span<const std::byte> public_key) {
  std::vector<unsigned char> point = {4};  // SEC 1: an uncompressed point
  point.insert(point.end(), Raw(public_key.data()), Raw(public_key.data()) + public_key.size());
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve.group), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  internal::KeyContext context(EVP_PKEY_CTX_new_from_name(internal::OpenSslLibrary(), "EC", nullptr));
  CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "OpenSSL cannot load EC keys");
  EVP_PKEY* loaded = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &loaded, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    ERR_clear_error();
    return Malformed("an ECDSA public key is not a point of its curve");
  }
  return internal::Key(loaded);
}

// The DER form that EVP wants of r and s.
std::vector<unsigned char> EncodeDer(std::span<const std::byte> r, std::span<const std::byte> s) {
  std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), &ECDSA_SIG_free);
  BIGNUM* r_number = BN_bin2bn(Raw(r.data()), static_cast<int>(r.size()), nullptr);
  BIGNUM* s_number = BN_bin2bn(Raw(s.data()), static_cast<int>(s.size()), nullptr);
  CHECK(pair != nullptr && ECDSA_SIG_set0(pair.get(), r_number, s_number) == 1, "OpenSSL takes no signature");
  std::vector<unsigned char> der(i2d_ECDSA_SIG(pair.get(), nullptr));
  unsigned char* end = der.data();
  i2d_ECDSA_SIG(pair.get(), &end);
  return der;
}

}  // namespace

Status VerifyEcdsa(EcdsaKind kind, std::span<const std::byte> public_key, std::span<const std::byte> message,
                   std::span<const std::byte> signature) {
  Curve curve = CurveOf(kind);
  if (public_key.size() != 2 * curve.coordinate_bytes) return Malformed("an ECDSA public key has a wrong length");
  if (signature.size() != 2 * curve.coordinate_bytes) return Malformed("an ECDSA signature has a wrong length");
  internal::Key key = TRY(LoadPoint(curve, public_key));
  std::vector<unsigned char> der =
      EncodeDer(signature.first(curve.coordinate_bytes), signature.last(curve.coordinate_bytes));
  internal::HashContext context(EVP_MD_CTX_new());
  const char* hash = EVP_MD_get0_name(internal::OpenSslHash(curve.hash));
  int started = EVP_DigestVerifyInit_ex(context.get(), nullptr, hash, internal::OpenSslLibrary(), nullptr, key.get(),
                                        nullptr);
  CHECK(started == 1, "OpenSSL cannot start ECDSA");
  int verdict = EVP_DigestVerify(context.get(), der.data(), der.size(), Raw(message.data()), message.size());
  ERR_clear_error();
  if (verdict != 1) return AuthError("an ECDSA signature is not of this key and message");
  return {};
}

}  // namespace soter
