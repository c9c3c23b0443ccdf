#include "tools/cli/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "tools/cli/files.h"

namespace soter {
namespace {

std::unique_ptr<ChildProcess> Shell(const std::string& script) {
  auto child = ChildProcess::Start({.name = "the shell", .program = "/bin/sh", .arguments = {"-c", script}});
  EXPECT_TRUE(child.ok());
  return std::move(child).value();
}

std::string WaitForEnd(ChildProcess& child) {
  for (int i = 0; i < 5000; ++i) {
    if (auto how = child.HowItEnded()) return *how;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return "still runs";
}

TEST(ChildProcess, SaysHowItEnded) {
  EXPECT_EQ(WaitForEnd(*Shell("exit 3")), "ended with status 3");
  EXPECT_EQ(WaitForEnd(*Shell("kill -9 $$")), "was killed by signal 9");
}

TEST(ChildProcess, MissingProgram) {
  auto child = ChildProcess::Start({.name = "the worker", .program = "/no/such/program"});
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().code, ErrorCode::kUnavailable);
}

TEST(ChildProcess, KeepsLastWordsAndMakesThemSafe) {
  auto child = Shell("printf 'first\\033[31m last\\n' >&2");
  WaitForEnd(*child);
  EXPECT_EQ(child->LastWords(), "first?[31m last");
}

TEST(ChildProcess, EnvironmentIsReplaced) {
  ::setenv("SOTER_TEST_VARIABLE", "old", 1);
  auto child = ChildProcess::Start({.name = "the shell",
                                    .program = "/bin/sh",
                                    .arguments = {"-c", "env | grep -c ^SOTER_TEST_VARIABLE=new$ >&2"},
                                    .environment = {{"SOTER_TEST_VARIABLE", "new"}}});
  WaitForEnd(**child);
  EXPECT_EQ((*child)->LastWords(), "1");
}

TEST(ChildProcess, EndsWithItsOwnerEvenWhenItIgnoresSigterm) {
  pid_t pid = 0;
  {
    auto child = Shell("trap '' TERM; while :; do sleep 1; done");
    pid = child->pid();
    EXPECT_FALSE(child->HowItEnded().has_value());
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(ChildProcess, SharedSegmentsOfADeadChildAreRemoved) {
  std::filesystem::path segment;
  {
    auto child = Shell("exec sleep 100");
    segment = "/dev/shm/soter-" + std::to_string(child->pid()) + "-left";
    std::ofstream(segment) << "x";
    EXPECT_TRUE(std::filesystem::exists(segment));
  }
  EXPECT_FALSE(std::filesystem::exists(segment));
}

TEST(ScratchDirectory, IsPrivateAndGoes) {
  std::filesystem::path path;
  {
    auto directory = ScratchDirectory::Make();
    ASSERT_TRUE(directory.ok());
    path = (*directory)->path();
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
    std::ofstream(path / "file") << "x";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ScratchDirectory, AnEmptySettingIsNone) {
  const char* configured = std::getenv("TMPDIR");
  std::optional<std::string> before = configured != nullptr ? std::optional<std::string>(configured) : std::nullopt;
  ::setenv("TMPDIR", "", 1);
  auto directory = ScratchDirectory::Make();
  before ? ::setenv("TMPDIR", before->c_str(), 1) : ::unsetenv("TMPDIR");
  ASSERT_TRUE(directory.ok()) << directory.error().message;
  EXPECT_EQ((*directory)->path().parent_path(), "/tmp");
}

TEST(CleanupOnSignal, RunsNewestFirstAndEndsByTheSignal) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t pid = ::fork();
  if (pid == 0) {
    CleanUpOnSignals();
    Cleanup first([&] { EXPECT_EQ(::write(ends[1], "1", 1), 1); });
    Cleanup second([&] { EXPECT_EQ(::write(ends[1], "2", 1), 1); });
    ::kill(::getpid(), SIGTERM);
    for (;;) ::pause();
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  char order[2];
  ASSERT_EQ(::read(ends[0], order, 2), 2);
  EXPECT_EQ(std::string(order, 2), "21");
}

TEST(OutputFiles, AppearOnlyWhenCommitted) {
  auto scratch = ScratchDirectory::Make();
  std::filesystem::path directory = (*scratch)->path() / "out";
  {
    OutputFiles files;
    ASSERT_TRUE(files.WriteText(directory / "a.txt", "a").ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  {
    OutputFiles files;
    ASSERT_TRUE(files.WriteText(directory / "a.txt", "a").ok());
    EXPECT_FALSE(std::filesystem::exists(directory / "a.txt"));
    ASSERT_TRUE(files.Commit().ok());
  }
  EXPECT_TRUE(std::filesystem::exists(directory / "a.txt"));
}

TEST(OutputFiles, MissingDirectory) {
  OutputFiles files;
  Status status = files.WriteText("/no/such/directory/a.txt", "a");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
}

TEST(OutputFiles, DirectoryThatCannotBeWritten) {
  EXPECT_FALSE(CheckOutputDirectory("/proc/version").ok());
  EXPECT_FALSE(CheckOutputDirectory("/no/such/directory").ok());
  EXPECT_TRUE(CheckOutputDirectory("/tmp").ok());
}

TEST(FileNameFor, KeepsOutSlashesAndHiddenNames) {
  EXPECT_EQ(FileNameFor("logits"), "logits");
  EXPECT_EQ(FileNameFor("../a/b:0"), "_.._a_b_0");
  EXPECT_EQ(FileNameFor(""), "_");
}

}  // namespace
}  // namespace soter
