#include "trusted/engine/development_only.h"

namespace soter {

bool IsDevelopmentBuild() {
#ifdef SOTER_DEVELOPMENT
  return true;
#else
  return false;
#endif
}

Status RefuseDevelopmentOnly(const control::Settings& settings) {
  if (IsDevelopmentBuild() || !(settings.seed.has_value() || settings.force_unit_scales)) return {};
  return InvalidArgument("repeatable secrets exist in development builds only");
}

}  // namespace soter
