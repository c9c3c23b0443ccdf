// The worker as a process of its own, computing with the CPU backend.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "tests/wire/test_worker.h"
#include "untrusted/worker/worker_main.h"

namespace soter::testing {
namespace {

// WorkerProcess forks a worker and waits for its one line.
class WorkerProcess {
 public:
  explicit WorkerProcess(WorkerOptions options) {
    int fds[2];
    CHECK(::pipe(fds) == 0, "pipe");
    options.listen = "unix:" + socket();
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(fds[1], STDOUT_FILENO);
      ::close(fds[0]);
      ::_exit(WorkerMain(options));
    }
    ::close(fds[1]);
    FILE* lines = ::fdopen(fds[0], "r");
    char line[256] = {};
    ready_ = std::fgets(line, sizeof(line), lines) != nullptr && line == "listening on unix:" + socket() + "\n";
    std::fclose(lines);
  }
  ~WorkerProcess() {
    if (process_ > 0) Signal(SIGKILL);
  }
  bool ready() const { return ready_; }
  std::string socket() const { return folder_.path() + "/socket"; }
  // Signal sends `signal` (0: none) and returns the exit code, or -1 of a process that a signal ended.
  int Signal(int signal) {
    if (signal != 0) ::kill(process_, signal);
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  TestFolder folder_;
  pid_t process_ = -1;
  bool ready_ = false;
};

TEST(WorkerProcess, ComputesWithTheCpuBackendAndEndsWithItsClient) {
  WorkerProcess worker({.threads = 1, .once = true});
  ASSERT_TRUE(worker.ready());
  auto accelerator = RemoteAccelerator::Connect({.address = "unix:" + worker.socket()}).value();
  EXPECT_EQ(accelerator->info().backend, "cpu");
  EXPECT_TRUE(accelerator->info().shares_memory);
  Status loaded = Load(*accelerator);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  Tensor x = Ramp({kRows, kWidth});
  EXPECT_EQ(RunOnce(*accelerator, x).value(), Expected(x));  // small integers: exact in any order
  accelerator.reset();
  EXPECT_EQ(worker.Signal(0), 0);
}

TEST(WorkerProcess, SigtermRemovesTheSocketAndEndsWellEvenWithAClient) {
  WorkerProcess worker({.threads = 1});
  ASSERT_TRUE(worker.ready());
  auto accelerator = RemoteAccelerator::Connect({.address = "unix:" + worker.socket()}).value();
  EXPECT_TRUE(std::filesystem::exists(worker.socket()));
  EXPECT_EQ(worker.Signal(SIGTERM), 0);
  EXPECT_FALSE(std::filesystem::exists(worker.socket()));
}

TEST(WorkerProcess, AKilledWorkerIsUnavailableAtOnce) {
  WorkerProcess worker({.threads = 1});
  ASSERT_TRUE(worker.ready());
  auto accelerator = RemoteAccelerator::Connect({.address = "unix:" + worker.socket()}).value();
  ASSERT_TRUE(Load(*accelerator).ok());
  worker.Signal(SIGKILL);
  auto start = std::chrono::steady_clock::now();
  Result<std::vector<float>> run = RunOnce(*accelerator, Ramp({kRows, kWidth}), 30'000);
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().code, ErrorCode::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(WorkerProcess, WrongOptionsAreUsageErrors) {
  EXPECT_EQ(WorkerMain({.listen = "nowhere"}), 2);
  EXPECT_EQ(WorkerMain({.listen = "0.0.0.0:0"}), 2);
  EXPECT_EQ(WorkerMain({.listen = "127.0.0.1:0", .backend = "abacus"}), 2);
}

}  // namespace
}  // namespace soter::testing
