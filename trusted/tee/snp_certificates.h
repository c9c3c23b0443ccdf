#pragma once

#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace soter {

// ParseSnpCertificateTable reads the table of certificates that a host may hand to an SNP guest (GHCB specification,
// 4.1.8.1): VCEK or VLEK, ASK, ARK, in this order, as DER; entries of other kinds are left out. An empty table is no
// error. Errors: kMalformed.
Result<std::vector<std::vector<std::byte>>> ParseSnpCertificateTable(ByteView table);

}  // namespace soter
