#pragma once

#include "tools/audit/outcome.h"

namespace soter::audit {

// ReportAsHtml is the report as one self-contained page: a table for each scheme, the controls, and the accuracy of
// substitutes against theta.
std::string ReportAsHtml(const Report& report);

}  // namespace soter::audit
