#include "trusted/tee/platform_kind.h"

#include <array>
#include <utility>

namespace soter {
namespace {

constexpr std::array<std::pair<PlatformKind, std::string_view>, 4> kNames = {{{PlatformKind::kDev, "dev"},
                                                                              {PlatformKind::kSgx, "sgx"},
                                                                              {PlatformKind::kTdx, "tdx"},
                                                                              {PlatformKind::kSnp, "snp"}}};

}  // namespace

std::string_view PlatformName(PlatformKind kind) {
  for (auto [known, name] : kNames)
    if (known == kind) return name;
  CHECK(false, "a platform kind without a name");
}

Result<PlatformKind> PlatformFromName(std::string_view name) {
  for (auto [kind, known] : kNames)
    if (known == name) return kind;
  return InvalidArgument("platform \"" + std::string(name) + "\" is none of dev, sgx, tdx, snp");
}

}  // namespace soter
