#pragma once

// What ecdsa.cc and ec_key.cc share; nothing outside trusted/crypto includes this.

#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "trusted/crypto/ec_curve.h"
#include "trusted/crypto/evp.h"

namespace soter::internal {

// EcGroupName is OpenSSL's name of a curve; EcHash the hash that signatures on it use.
const char* EcGroupName(EcCurve curve);
HashAlgorithm EcHash(EcCurve curve);

// LoadEcPublicKey reads x then y. Errors: kMalformed (a wrong length, a point off the curve).
Result<Key> LoadEcPublicKey(EcCurve curve, ByteView public_key);

// UncompressedPoint is SEC 1's form of x then y.
std::vector<unsigned char> UncompressedPoint(ByteView public_key);

}  // namespace soter::internal
