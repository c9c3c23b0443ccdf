#include "trusted/crypto/ec.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "common/base/check.h"

namespace soter::internal {

const char* EcGroupName(EcCurve curve) {
  switch (curve) {
    case EcCurve::kP256: return "P-256";
    case EcCurve::kP384: return "P-384";
    case EcCurve::kP521: return "P-521";
  }
  CHECK(false, "no such curve");
}

HashAlgorithm EcHash(EcCurve curve) {
  switch (curve) {
    case EcCurve::kP256: return HashAlgorithm::kSha256;
    case EcCurve::kP384: return HashAlgorithm::kSha384;
    case EcCurve::kP521: return HashAlgorithm::kSha512;
  }
  CHECK(false, "no such curve");
}

std::vector<unsigned char> UncompressedPoint(ByteView public_key) {
  std::vector<unsigned char> point(1 + public_key.size());
  point[0] = 4;
  std::copy(public_key.begin(), public_key.end(), reinterpret_cast<std::byte*>(point.data() + 1));
  return point;
}

Result<Key> LoadEcPublicKey(EcCurve curve, ByteView public_key) {
  if (public_key.size() != 2 * EcCoordinateBytes(curve)) return Malformed("an EC public key has a wrong length");
  std::vector<unsigned char> point = UncompressedPoint(public_key);
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(EcGroupName(curve)), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  KeyContext context(EVP_PKEY_CTX_new_from_name(OpenSslLibrary(), "EC", nullptr));
  CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "OpenSSL cannot load EC keys");
  EVP_PKEY* loaded = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &loaded, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    ERR_clear_error();
    return Malformed("an EC public key is not a point of its curve");
  }
  return Key(loaded);
}

}  // namespace soter::internal
