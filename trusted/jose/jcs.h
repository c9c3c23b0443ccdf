#pragma once

#include <string>

#include "trusted/jose/json.h"

namespace soter {

// CanonicalJson writes the one text that RFC 8785 (JSON Canonicalization Scheme) has for `json`: no white space,
// members in the order of their names' UTF-16 code units, the shortest escapes. Of numbers it takes whole ones of at
// most 2^53 - 1 in size, whose text is beyond doubt; nothing that is hashed here holds others.
// Errors: kUnsupported (another number), kMalformed (text that is not UTF-8).
Result<std::string> CanonicalJson(const Json& json);

}  // namespace soter
