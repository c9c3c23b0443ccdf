#include "broker/audit_log.h"

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/crypto/hash.h"

namespace soter {

std::string EncodeLogEntry(Json event, const LogPosition& position, int64_t now_s) {
  event["number"] = position.number;
  event["previous"] = position.previous;
  event["time"] = FormatTimestamp(now_s);
  return DumpJson(event);
}

std::string LogEntryDigest(std::string_view entry) { return EncodeHex(Digest<Sha256>(AsBytes(entry))); }

Status LogVerifier::Add(const std::string& entry) {
  auto broken = [this](const char* why) {
    return IntegrityError("the audit log is broken at entry " + std::to_string(next_.number) + ": " + why);
  };
  Result<Json> json = ParseJson(entry);
  if (!json.ok()) return broken("it is not JSON");
  Result<uint64_t> number = JsonUnsigned(*json, "number", INT64_MAX);
  Result<std::string> previous = JsonText(*json, "previous");
  if (!number.ok() || static_cast<int64_t>(*number) != next_.number) return broken("it has another number");
  if (!previous.ok() || *previous != next_.previous)
    return broken("the one before it was changed, or one is missing there");
  next_ = {next_.number + 1, LogEntryDigest(entry)};
  return {};
}

}  // namespace soter
