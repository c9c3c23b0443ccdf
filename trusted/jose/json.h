#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/base64.h"
#include "common/base/result.h"

// JSON from peers that are not trusted (RFC 8259).
namespace soter {

using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 16;

// ParseJson reads one JSON text. Stricter than most: no member twice in one object (readers disagree on which counts),
// no byte order mark, at most kMaxJsonDepth objects and arrays inside each other. Errors: kMalformed.
Result<Json> ParseJson(std::string_view text);

// The Json* readers take the member `name` of an object. Errors: kMalformed (not an object, no such member, of another
// type; the message names the member).
Result<const Json*> JsonMember(const Json& object, const char* name);
Result<std::string> JsonText(const Json& object, const char* name);
Result<uint64_t> JsonUnsigned(const Json& object, const char* name, uint64_t max);
Result<std::vector<std::byte>> JsonBytes(const Json& object, const char* name, Base64 kind);

// ExpectMembers succeeds when `object` is an object of no members but these; they need not all be there.
// Errors: kMalformed (names the first that is not).
Status ExpectMembers(const Json& object, std::initializer_list<std::string_view> names);

// DumpJson writes compact UTF-8. Text that is not UTF-8 is written with replacement characters.
std::string DumpJson(const Json& json);

}  // namespace soter
