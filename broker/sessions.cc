#include "broker/sessions.h"

#include <array>

#include "common/base/base64.h"
#include "common/base/hex.h"
#include "trusted/crypto/random.h"

namespace soter {

Result<Sessions::Challenge> Sessions::Open(PlatformKind tee, int64_t now_s) {
  std::array<std::byte, 16> id;
  std::array<std::byte, 32> nonce;
  TRY(FillRandom(id));
  TRY(FillRandom(nonce));
  Challenge challenge = {EncodeHex(id), EncodeBase64(nonce, Base64::kPadded), tee};
  std::lock_guard lock(mutex_);
  DropOld(now_s);
  sessions_[challenge.id] = {.challenge = challenge, .expires_s = now_s + kChallengeSeconds};
  by_age_.push_back(challenge.id);
  return challenge;
}

Result<Sessions::Challenge> Sessions::TakeChallenge(const std::string& id, int64_t now_s) {
  std::lock_guard lock(mutex_);
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return AuthError("no such session");
  if (std::exchange(found->second.is_used, true)) return AuthError("the session's challenge was used before");
  if (now_s >= found->second.expires_s) return AuthError("the session's challenge has expired");
  return found->second.challenge;
}

void Sessions::KeepToken(const std::string& id, std::string token, int64_t now_s) {
  std::lock_guard lock(mutex_);
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return;  // driven out in between; the client has the token
  found->second.token = std::move(token);
  found->second.expires_s = now_s + kTokenSeconds;
}

Result<std::string> Sessions::TokenOf(const std::string& id, int64_t now_s) {
  std::lock_guard lock(mutex_);
  auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.token.empty() || now_s >= found->second.expires_s)
    return AuthError("no session with a token");
  return found->second.token;
}

// A session lasts at most as long as a challenge and a token together, so the front of the queue is judged by that.
void Sessions::DropOld(int64_t now_s) {
  while (!by_age_.empty()) {
    auto oldest = sessions_.find(by_age_.front());
    bool gone = oldest == sessions_.end() || now_s >= oldest->second.expires_s || sessions_.size() >= kMaxSessions;
    if (!gone) return;
    if (oldest != sessions_.end()) sessions_.erase(oldest);
    by_age_.pop_front();
  }
}

}  // namespace soter
