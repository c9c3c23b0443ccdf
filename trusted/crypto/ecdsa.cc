#include "trusted/crypto/ecdsa.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <memory>
#include <vector>

#include "common/base/check.h"
#include "trusted/crypto/ec.h"
#include "trusted/crypto/openssl_free.h"

namespace soter {
namespace {

using internal::Raw;

EcCurve CurveOf(EcdsaKind kind) { return kind == EcdsaKind::kP256Sha256 ? EcCurve::kP256 : EcCurve::kP384; }

// The DER form that EVP wants of r and s.
std::vector<unsigned char> EncodeDer(std::span<const std::byte> r, std::span<const std::byte> s) {
  std::unique_ptr<ECDSA_SIG, internal::Free<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
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
  EcCurve curve = CurveOf(kind);
  size_t scalar_bytes = EcCoordinateBytes(curve);
  if (signature.size() != 2 * scalar_bytes) return Malformed("an ECDSA signature has a wrong length");
  internal::Key key = TRY(internal::LoadEcPublicKey(curve, public_key));
  std::vector<unsigned char> der = EncodeDer(signature.first(scalar_bytes), signature.last(scalar_bytes));
  internal::HashContext context(EVP_MD_CTX_new());
  const char* hash = EVP_MD_get0_name(internal::OpenSslHash(internal::EcHash(curve)));
  int started = EVP_DigestVerifyInit_ex(context.get(), nullptr, hash, internal::OpenSslLibrary(), nullptr, key.get(),
                                        nullptr);
  CHECK(started == 1, "OpenSSL cannot start ECDSA");
  int verdict = EVP_DigestVerify(context.get(), der.data(), der.size(), Raw(message.data()), message.size());
  ERR_clear_error();
  if (verdict != 1) return AuthError("an ECDSA signature is not of this key and message");
  return {};
}

}  // namespace soter
