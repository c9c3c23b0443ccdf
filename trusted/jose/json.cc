#include "trusted/jose/json.h"

#include <algorithm>
#include <set>

namespace soter {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// DuplicateGuard watches the parser: what it does not allow never becomes part of the document.
class DuplicateGuard {
 public:
  bool Allow(int depth, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= kMaxJsonDepth) problem_ = "is nested too deeply";
      members_.emplace_back();
    } else if (event == Json::parse_event_t::object_end || event == Json::parse_event_t::array_end) {
      if (!members_.empty()) members_.pop_back();
    } else if (event == Json::parse_event_t::key && !members_.empty()) {
      if (!members_.back().insert(parsed.get<std::string>()).second) problem_ = "names a member twice";
    }
    return problem_ == nullptr;
  }
  const char* problem() const { return problem_; }

 private:
  std::vector<std::set<std::string>> members_;
  const char* problem_ = nullptr;
};

Error Wrong(const char* name, const char* wanted) {
  return Malformed(std::string("the JSON member \"") + name + "\" is not " + wanted);
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) return Malformed("the JSON text starts with a byte order mark");
  DuplicateGuard guard;
  auto allow = [&guard](int depth, Json::parse_event_t event, Json& parsed) {
    return guard.Allow(depth, event, parsed);
  };
  Json json = Json::parse(text, allow, /*allow_exceptions=*/false);
  if (guard.problem() != nullptr) return Malformed(std::string("the JSON text ") + guard.problem());
  if (json.is_discarded()) return Malformed("the text is not JSON");
  return json;
}

Result<const Json*> JsonMember(const Json& object, const char* name) {
  if (!object.is_object()) return Malformed("the JSON text is not an object");
  auto found = object.find(name);
  if (found == object.end()) return Malformed(std::string("the JSON object has no \"") + name + '"');
  return &*found;
}

Result<std::string> JsonText(const Json& object, const char* name) {
  const Json* value = TRY(JsonMember(object, name));
  if (!value->is_string()) return Wrong(name, "text");
  return value->get<std::string>();
}

Result<uint64_t> JsonUnsigned(const Json& object, const char* name, uint64_t max) {
  const Json* value = TRY(JsonMember(object, name));
  bool is_whole = value->is_number_unsigned() || (value->is_number_integer() && value->get<int64_t>() >= 0);
  if (!is_whole || value->get<uint64_t>() > max) return Wrong(name, "a whole number in its range");
  return value->get<uint64_t>();
}

Result<std::vector<std::byte>> JsonBytes(const Json& object, const char* name, Base64 kind) {
  Result<std::vector<std::byte>> bytes = DecodeBase64(TRY(JsonText(object, name)), kind);
  if (!bytes.ok()) return Wrong(name, kind == Base64::kUrl ? "canonical base64url" : "canonical base64");
  return bytes;
}

Status ExpectMembers(const Json& object, std::initializer_list<std::string_view> names) {
  if (!object.is_object()) return Malformed("the JSON text is not an object");
  for (const auto& [name, value] : object.items())
    if (std::ranges::find(names, name) == names.end())
      return Malformed("the JSON object has a member that does not belong there");
  return {};
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace soter
