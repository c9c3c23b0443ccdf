#pragma once

#include "common/wire/control.h"

namespace soter {

// RefuseDevelopmentOnly refuses, in builds that are not for development, what makes secrets known: --seed and
// --force-unit-scales. The two kinds of builds are different programs, and so have different measurements.
// Errors: kInvalidArgument.
Status RefuseDevelopmentOnly(const control::Settings& settings);

// IsDevelopmentBuild says which kind this is.
bool IsDevelopmentBuild();

}  // namespace soter
