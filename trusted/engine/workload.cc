#include "trusted/engine/workload.h"

#include "trusted/engine/open_model.h"
#include "trusted/plan/plan.h"

namespace soter {

WorkloadClaims ClaimsOf(const control::Settings& settings, std::vector<std::byte> model_digest) {
  bool secrets_known = settings.seed.has_value() || settings.force_unit_scales;
  bool checks_count = RequireSpotChecks(settings).ok();
  return {.model_digest = std::move(model_digest),
          .scheme = SchemeName(secrets_known ? control::Scheme::kInsecure : settings.scheme),
          .check = CheckName(checks_count ? settings.check : control::Check::kNone)};
}

}  // namespace soter
