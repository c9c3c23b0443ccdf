#include "broker/sessions.h"

#include <gtest/gtest.h>

#include <set>

namespace soter {
namespace {

TEST(Sessions, AChallengeIsTakenOnce) {
  Sessions sessions;
  Sessions::Challenge challenge = sessions.Open(PlatformKind::kSgx, 100).value();
  EXPECT_EQ(challenge.nonce.size(), 44u);
  Sessions::Challenge taken = sessions.TakeChallenge(challenge.id, 100).value();
  EXPECT_EQ(taken.nonce, challenge.nonce);
  EXPECT_EQ(taken.tee, PlatformKind::kSgx);
  EXPECT_EQ(sessions.TakeChallenge(challenge.id, 100).error().code, ErrorCode::kAuth);
}

TEST(Sessions, AChallengeExpiresToTheSecond) {
  Sessions sessions;
  std::string first = sessions.Open(PlatformKind::kDev, 100)->id, second = sessions.Open(PlatformKind::kDev, 100)->id;
  EXPECT_TRUE(sessions.TakeChallenge(first, 100 + Sessions::kChallengeSeconds - 1).ok());
  EXPECT_EQ(sessions.TakeChallenge(second, 100 + Sessions::kChallengeSeconds).error().code, ErrorCode::kAuth);
}

TEST(Sessions, ATokenIsKeptForItsTime) {
  Sessions sessions;
  std::string id = sessions.Open(PlatformKind::kDev, 100)->id;
  EXPECT_FALSE(sessions.TokenOf(id, 100).ok());
  ASSERT_TRUE(sessions.TakeChallenge(id, 150).ok());
  EXPECT_FALSE(sessions.TokenOf(id, 150).ok());
  sessions.KeepToken(id, "token", 150);
  EXPECT_EQ(sessions.TokenOf(id, 150 + Sessions::kTokenSeconds - 1).value(), "token");
  EXPECT_FALSE(sessions.TokenOf(id, 150 + Sessions::kTokenSeconds).ok());
  EXPECT_FALSE(sessions.TokenOf("", 150).ok());
}

TEST(Sessions, NoTwoAreAlikeAndAFloodDrivesTheOldestOut) {
  Sessions sessions;
  std::string first = sessions.Open(PlatformKind::kDev, 0)->id;
  std::set<std::string> seen;
  std::string last;
  for (size_t i = 0; i < Sessions::kMaxSessions; ++i) {
    Sessions::Challenge challenge = sessions.Open(PlatformKind::kDev, 0).value();
    EXPECT_TRUE(seen.insert(challenge.id).second && seen.insert(challenge.nonce).second);
    last = challenge.id;
  }
  EXPECT_FALSE(sessions.TakeChallenge(first, 0).ok());
  EXPECT_TRUE(sessions.TakeChallenge(last, 0).ok());
}

}  // namespace
}  // namespace soter
