#pragma once

#include <cstdint>
#include <string>

#include "trusted/jose/json.h"

// The audit log: JSON texts of which each carries the digest of the one before, so that a change, a gap or another order
// shows (docs/spec/key-release.md, 6.4).
namespace soter {

inline constexpr char kLogStart[] = "0000000000000000000000000000000000000000000000000000000000000000";

struct LogPosition {
  int64_t number;
  std::string previous;  // LogEntryDigest of the entry before; kLogStart for the first
};

// EncodeLogEntry writes one entry: the members of `event` and number, previous and time.
std::string EncodeLogEntry(Json event, const LogPosition& position, int64_t now_s);

// LogEntryDigest is the SHA-256 of an entry's text, hexadecimal.
std::string LogEntryDigest(std::string_view entry);

// LogVerifier follows the chain.
class LogVerifier {
 public:
  // Add takes the next entry. Errors: kIntegrity (it is not the one that followed; says which).
  Status Add(const std::string& entry);

  int64_t count() const { return next_.number - 1; }
  const std::string& head() const { return next_.previous; }

 private:
  LogPosition next_ = {1, kLogStart};
};

}  // namespace soter
