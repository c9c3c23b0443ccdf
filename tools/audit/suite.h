#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// Suite lists every attack on recorded views, in the order in which they are run.
std::vector<Attack> Suite();

}  // namespace soter::audit
