#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/base/result.h"
#include "trusted/attest/verify/verify.h"

namespace soter {

// Sessions remembers which challenges were given out, and which token a session then got. It lies in memory: after a
// restart, clients begin again. Safe to use from several threads.
class Sessions {
 public:
  static constexpr int64_t kChallengeSeconds = 60, kTokenSeconds = 300;
  static constexpr size_t kMaxSessions = 16384;  // then the oldest goes

  struct Challenge {
    std::string id;     // of the session: 32 hexadecimal digits
    std::string nonce;  // base64 of 32 bytes
    PlatformKind tee;
  };

  // Open makes a fresh challenge. Errors: kUnavailable (no randomness).
  Result<Challenge> Open(PlatformKind tee, int64_t now_s);

  // TakeChallenge returns a session's challenge, once, whatever becomes of it.
  // Errors: kAuth (no such session, used, expired).
  Result<Challenge> TakeChallenge(const std::string& id, int64_t now_s);

  // KeepToken lets the session stand for its token from now on.
  void KeepToken(const std::string& id, std::string token, int64_t now_s);

  // TokenOf returns the session's token. Errors: kAuth (no such session, no token, expired).
  Result<std::string> TokenOf(const std::string& id, int64_t now_s);

 private:
  struct Session {
    Challenge challenge;
    int64_t expires_s;
    bool is_used = false;
    std::string token;
  };
  void DropOld(int64_t now_s);

  std::mutex mutex_;
  std::unordered_map<std::string, Session> sessions_;
  std::deque<std::string> by_age_;
};

}  // namespace soter
