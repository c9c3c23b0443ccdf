#include "tools/cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

namespace soter {

namespace {

constexpr auto kGrace = std::chrono::milliseconds(500);
constexpr auto kPoll = std::chrono::milliseconds(2);
constexpr size_t kLastWordsBytes = 2000;
constexpr int kCannotExec = 127;
constexpr size_t kMaxScratchPathBytes = 80;  // a socket's path has 107

// StringArray owns strings in the form that execve takes.
class StringArray {
 public:
  explicit StringArray(std::vector<std::string> strings) : strings_(std::move(strings)) {
    for (std::string& string : strings_) pointers_.push_back(string.data());
    pointers_.push_back(nullptr);
  }
  char* const* get() { return pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

std::vector<std::string> MergedEnvironment(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    std::string_view name = text.substr(0, text.find('='));
    bool replaced = std::any_of(added.begin(), added.end(), [&](const auto& pair) { return pair.first == name; });
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [name, value] : added) merged.push_back(name + "=" + value);
  return merged;
}

// RunChild turns the forked process into the program. Only what is safe after fork in a program with threads.
[[noreturn]] void RunChild(const char* program, char* const* argv, char* const* envp, int error_fd, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotExec);  // the parent died before prctl
  int null_fd = ::open("/dev/null", O_RDWR);
  if (null_fd < 0 || ::dup2(null_fd, 0) < 0 || ::dup2(null_fd, 1) < 0 || ::dup2(error_fd, 2) < 0)
    ::_exit(kCannotExec);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(program, argv, envp);
  ::_exit(kCannotExec);
}

// RemoveSharedSegments removes what a dead enclave may have left in shared memory: it names them by its pid.
void RemoveSharedSegments(pid_t pid) {
  std::string prefix = "soter-" + std::to_string(pid) + "-";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error)) {
    if (entry.path().filename().string().starts_with(prefix)) ::unlink(entry.path().c_str());
  }
}

std::string DescribeStatus(int status) {
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

// State outlives the ChildProcess as long as the signal thread may look at it.
struct ChildProcess::State {
  std::string name;
  pid_t pid = -1;
  UniqueFd error_file;
  std::mutex mutex;
  std::optional<int> wait_status;  // set once the child was reaped

  bool Reap() {
    std::lock_guard lock(mutex);
    int status = 0;
    if (!wait_status.has_value() && ::waitpid(pid, &status, WNOHANG) == pid) wait_status = status;
    return wait_status.has_value();
  }

  void Stop() {
    if (!Reap()) ::kill(pid, SIGTERM);
    for (auto end = std::chrono::steady_clock::now() + kGrace; !Reap() && std::chrono::steady_clock::now() < end;) {
      std::this_thread::sleep_for(kPoll);
    }
    if (!Reap()) ::kill(pid, SIGKILL);
    while (!Reap()) std::this_thread::sleep_for(kPoll);
    RemoveSharedSegments(pid);
  }
};

ChildProcess::ChildProcess(std::shared_ptr<State> state)
    : state_(std::move(state)), cleanup_([kept = state_] { kept->Stop(); }) {}

ChildProcess::~ChildProcess() = default;

Result<std::unique_ptr<ChildProcess>> ChildProcess::Start(ChildOptions options) {
  std::string program = options.program.string();
  if (::access(program.c_str(), X_OK) != 0) {
    return Unavailable("cannot start " + options.name + ": " + program + ": " + std::strerror(errno));
  }
  auto state = std::make_shared<State>();
  state->name = options.name;
  state->error_file.Reset(::memfd_create("stderr", MFD_CLOEXEC));
  if (!state->error_file.valid()) return Exhausted("cannot start " + options.name + ": " + std::strerror(errno));
  options.arguments.insert(options.arguments.begin(), program);
  StringArray argv(std::move(options.arguments));
  StringArray envp(MergedEnvironment(options.environment));
  pid_t parent = ::getpid();
  state->pid = ::fork();
  if (state->pid < 0) return Exhausted("cannot start " + options.name + ": " + std::strerror(errno));
  if (state->pid == 0) RunChild(program.c_str(), argv.get(), envp.get(), state->error_file.get(), parent);
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(state)));
}

pid_t ChildProcess::pid() const { return state_->pid; }

std::optional<std::string> ChildProcess::HowItEnded() {
  if (!state_->Reap()) return std::nullopt;
  return DescribeStatus(*state_->wait_status);
}

std::string ChildProcess::LastWords() const {
  off_t size = ::lseek(state_->error_file.get(), 0, SEEK_END);
  off_t start = std::max<off_t>(0, size - static_cast<off_t>(kLastWordsBytes));
  std::string words(static_cast<size_t>(size - start), '\0');
  ssize_t got = ::pread(state_->error_file.get(), words.data(), words.size(), start);
  words.resize(got > 0 ? static_cast<size_t>(got) : 0);
  for (char& c : words) {
    if (c != '\n' && (c < ' ' || c > '~')) c = '?';
  }
  while (words.ends_with('\n')) words.pop_back();
  return words;
}

std::vector<std::pair<std::string, std::string>> OpenMpEnvironment(int threads, Processors processors) {
  return {{"OMP_NUM_THREADS", std::to_string(threads)},
          {"OMP_WAIT_POLICY", "passive"},
          {"GOMP_SPINCOUNT", processors == Processors::kOwn ? "300000" : "2000"},
          {"OMP_DYNAMIC", "false"}};
}

std::filesystem::path ProgramBeside(const std::string& name) {
  std::error_code error;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.replace_filename(name);
}

ScratchDirectory::ScratchDirectory(std::filesystem::path path)
    : path_(std::move(path)), cleanup_([kept = path_] {
        std::error_code error;
        std::filesystem::remove_all(kept, error);
      }) {}

Result<std::unique_ptr<ScratchDirectory>> ScratchDirectory::Make() {
  const char* configured = std::getenv("TMPDIR");
  bool usable = configured != nullptr && *configured != '\0' && std::strlen(configured) <= kMaxScratchPathBytes;
  std::string base = usable ? configured : "/tmp";
  std::string name = base + "/soter-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    return Unavailable("cannot make a directory in " + base + ": " + std::strerror(errno));
  return std::unique_ptr<ScratchDirectory>(new ScratchDirectory(name));
}

}  // namespace soter
