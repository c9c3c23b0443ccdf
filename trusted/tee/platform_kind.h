#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.h"

namespace soter {

// PlatformKind names what isolates the enclave.
enum class PlatformKind : uint8_t {
  kDev,  // a plain process: protects nothing
  kSgx,
  kTdx,
  kSnp,
};

// PlatformName returns "dev", "sgx", "tdx" or "snp".
std::string_view PlatformName(PlatformKind kind);

// PlatformFromName reads what PlatformName writes. Errors: kInvalidArgument.
Result<PlatformKind> PlatformFromName(std::string_view name);

}  // namespace soter
