#include "trusted/check/verdict.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "trusted/check/waiver.h"

namespace soter {
namespace {

// What nothing checked cannot be turned into what may be used: none of this compiles.
static_assert(!std::is_constructible_v<Verified<PrivateTensor>, PrivateTensor>);
static_assert(!std::is_constructible_v<Verified<PrivateTensor>, Claim>);
static_assert(!std::is_default_constructible_v<Verified<Answer>>);
static_assert(!std::is_constructible_v<Verified<Answer>, Answer>);

Result<Verified<PrivateTensor>> Accepted() { return Waive(Waiver(control::Check::kNone), Claim(PrivateTensor{})); }
Result<Verified<PrivateTensor>> Refused() { return IntegrityError("no"); }

TEST(Verdict, ReleasesTheAnswerWhenEveryResultWasAccepted) {
  Verdict verdict(2);
  verdict.Add(Accepted()), verdict.Add(Accepted());
  EXPECT_TRUE(verdict.Conclude().ok());
}

TEST(Verdict, OneRefusedResultIsFinal) {
  Verdict verdict(2);
  verdict.Add(Refused()), verdict.Add(Accepted());
  EXPECT_TRUE(verdict.failed());
  EXPECT_EQ(verdict.Conclude().error().code, ErrorCode::kIntegrity);
}

TEST(Verdict, AResultThatWasNeverDecidedUponAborts) {
  Verdict verdict(2);
  verdict.Add(Accepted());
  EXPECT_DEATH((void)verdict.Conclude(), "never checked");
}

}  // namespace
}  // namespace soter
