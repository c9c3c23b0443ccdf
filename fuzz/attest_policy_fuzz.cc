// Policies, which are TOML.
#include <cstdint>

#include "common/base/bytes.h"
#include "trusted/attest/verify/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)soter::ParsePolicy(soter::AsText(std::as_bytes(std::span(data, size))));
  return 0;
}
