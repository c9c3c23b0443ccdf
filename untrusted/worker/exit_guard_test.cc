#include "untrusted/worker/exit_guard.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

namespace soter {
namespace {

using namespace std::chrono_literals;

TEST(ExitGuardDeathTest, EndsAProcessWhoseThreadsDoNotEnd) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto hang = [] {
    UniqueFd stop(::eventfd(1, EFD_CLOEXEC));
    ExitGuard guard(stop.get(), 10ms);
    while (true) std::this_thread::sleep_for(1s);
  };
  EXPECT_EXIT(hang(), testing::ExitedWithCode(0), "work still under way");
}

TEST(ExitGuard, LetsAProcessThatEndsInTimeGo) {
  UniqueFd stop(::eventfd(1, EFD_CLOEXEC));
  { ExitGuard guard(stop.get(), 60s); }
  SUCCEED();  // still here, and at once
}

TEST(ExitGuard, DoesNothingWhileNobodySaysStop) {
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  ExitGuard guard(stop.get(), 0ms);
  std::this_thread::sleep_for(30ms);
  SUCCEED();
}

}  // namespace
}  // namespace soter
