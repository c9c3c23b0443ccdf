#pragma once

#include "common/base/result.h"
#include "tools/integrity/campaign.h"

namespace soter::integrity {

// WriteReport writes integrity.json, integrity.html and figures as SVG to `options.report`, which it makes.
// Errors: kInvalidArgument (a directory or file that cannot be written).
Status WriteReport(const CampaignOptions& options, const Campaign& campaign);

}  // namespace soter::integrity
