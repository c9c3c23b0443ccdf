#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "common/base/result.h"
#include "common/base/secret.h"

namespace soter {

// FillRandom fills `out` from the system's CSPRNG (getrandom), waiting for it to be seeded.
// Errors: kUnavailable (the system gives no randomness; `out` is then all zero and must not be used).
Status FillRandom(std::span<std::byte> out);

// RandomSecret draws a fresh key of kBytes. Errors: those of FillRandom.
template <size_t kBytes>
Result<Secret<std::array<std::byte, kBytes>>> RandomSecret() {
  Secret<std::array<std::byte, kBytes>> secret;
  TRY(FillRandom(secret.Expose()));
  return secret;
}

}  // namespace soter
