#pragma once

#include <cstddef>
#include <cstdint>

namespace soter {

// EcCurve is one of NIST's prime curves (FIPS 186-4, D.1.2).
enum class EcCurve : uint8_t { kP256, kP384, kP521 };

// EcCoordinateBytes is the length of a coordinate, of a scalar, and of a shared secret.
constexpr size_t EcCoordinateBytes(EcCurve curve) {
  switch (curve) {
    case EcCurve::kP256: return 32;
    case EcCurve::kP384: return 48;
    case EcCurve::kP521: return 66;
  }
  return 0;
}

}  // namespace soter
