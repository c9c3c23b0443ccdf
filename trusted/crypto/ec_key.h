#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/secret_bytes.h"
#include "trusted/crypto/ec_curve.h"

struct evp_pkey_st;

// Key agreement (NIST SP 800-56A) and signatures (FIPS 186-4) on NIST's curves. Public keys are x then y, signatures
// r then s, all big-endian and of full length.
namespace soter {

// EcPrivateKey is a key pair.
class EcPrivateKey {
 public:
  // Generate draws a fresh key. Errors: kUnavailable (no randomness).
  static Result<EcPrivateKey> Generate(EcCurve curve);

  // FromScalar takes the private scalar and the public key that belongs to it.
  // Errors: kMalformed (a wrong length, a point off the curve, a scalar of another key).
  static Result<EcPrivateKey> FromScalar(EcCurve curve, ByteView scalar, ByteView public_key);

  // FromPem reads one "PRIVATE KEY" block (PKCS #8, not encrypted). Errors: kMalformed (not that, another curve).
  static Result<EcPrivateKey> FromPem(EcCurve curve, std::string_view pem);

  SecretBytes ToPem() const;
  EcCurve curve() const { return curve_; }
  const std::vector<std::byte>& public_key() const { return public_key_; }

  // Agree returns the x coordinate of the shared point. Errors: kMalformed (`peer` is not a point of this curve).
  Result<SecretBytes> Agree(ByteView peer) const;

  // Sign signs with the hash that goes with the curve: SHA-256, -384 or -512.
  std::vector<std::byte> Sign(ByteView message) const;

  evp_pkey_st* raw() const { return key_.get(); }

 private:
  EcPrivateKey(EcCurve curve, std::shared_ptr<evp_pkey_st> key);

  EcCurve curve_;
  std::shared_ptr<evp_pkey_st> key_;
  std::vector<std::byte> public_key_;
};

// CheckEcPoint decides whether `public_key` is a point of the curve. Errors: kMalformed.
Status CheckEcPoint(EcCurve curve, ByteView public_key);

}  // namespace soter
