#include "broker/audit_log.h"

#include <gtest/gtest.h>

namespace soter {
namespace {

TEST(AuditLog, AChainIsFollowedToItsHead) {
  std::string first = EncodeLogEntry({{"event", "init"}}, {1, kLogStart}, 0);
  std::string second = EncodeLogEntry({{"event", "add"}}, {2, LogEntryDigest(first)}, 1);
  LogVerifier verifier;
  EXPECT_EQ(verifier.count(), 0);
  ASSERT_TRUE(verifier.Add(first).ok());
  ASSERT_TRUE(verifier.Add(second).ok());
  EXPECT_EQ(verifier.count(), 2);
  EXPECT_EQ(verifier.head(), LogEntryDigest(second));
  EXPECT_EQ(verifier.Add(second).error().code, ErrorCode::kIntegrity);
}

TEST(AuditLog, AnEventCannotChooseItsPlace) {
  Json json = ParseJson(EncodeLogEntry({{"number", 7}, {"previous", "x"}, {"time", "y"}}, {1, kLogStart}, 0)).value();
  EXPECT_EQ(json["number"], 1);
  EXPECT_EQ(json["previous"], kLogStart);
  EXPECT_EQ(json["time"], "1970-01-01T00:00:00Z");
}

TEST(AuditLog, ForeignTextIsWrittenSoThatItCanBeReadBack) {
  std::string entry = EncodeLogEntry({{"reason", "\xff\n\"\x01"}}, {1, kLogStart}, 0);
  EXPECT_EQ(entry.find('\n'), std::string::npos);
  EXPECT_TRUE(LogVerifier().Add(entry).ok());
}

TEST(AuditLog, AChangedEntryIsNoticedAtTheNext) {
  std::string first = EncodeLogEntry({{"event", "init"}}, {1, kLogStart}, 0);
  std::string second = EncodeLogEntry({{"event", "add"}}, {2, LogEntryDigest(first)}, 1);
  std::string changed = EncodeLogEntry({{"event", "Init"}}, {1, kLogStart}, 0);
  LogVerifier verifier;
  ASSERT_TRUE(verifier.Add(changed).ok());
  EXPECT_EQ(verifier.Add(second).error().code, ErrorCode::kIntegrity);
  for (const char* entry : {"", "{}", "[]", R"({"number":1})", R"({"number":2,"previous":""})"})
    EXPECT_EQ(LogVerifier().Add(entry).error().code, ErrorCode::kIntegrity) << entry;
}

}  // namespace
}  // namespace soter
