#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "tools/cli/cleanup.h"

namespace soter {

struct ChildOptions {
  std::string name;  // for messages: "the worker"
  std::filesystem::path program;
  std::vector<std::string> arguments;                            // without the program
  std::vector<std::pair<std::string, std::string>> environment;  // added to our own
};

// ChildProcess is a program that we started. It ends when we do: with its owner, on a signal that ends us, and,
// should we be killed outright, by the kernel. Its standard output is discarded and its standard error kept.
class ChildProcess {
 public:
  // Start must be called on the main thread: the kernel ties a child's life to the thread that made it.
  // Errors: kUnavailable (the program is missing or cannot be started), kExhausted.
  static Result<std::unique_ptr<ChildProcess>> Start(ChildOptions options);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;

  pid_t pid() const;
  // HowItEnded is nothing while the child runs, else for a person: "ended with status 1", "was killed by signal 9".
  std::optional<std::string> HowItEnded();
  // LastWords is the end of what the child wrote to its standard error, made safe for a terminal.
  std::string LastWords() const;

 private:
  struct State;
  explicit ChildProcess(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
  Cleanup cleanup_;
};

// Processors says whether a child computes alone or takes turns with another on the same processors.
enum class Processors : uint8_t { kOwn, kShared };

// OpenMpEnvironment is what a child that computes with `threads` threads needs. They poll for the next loop before they
// sleep, since a wake-up costs a virtual machine more than most loops take: about 3 ms when nobody else wants the
// processors, as is OpenMP's custom, and 20 us when somebody does (docs/benchmarks.md).
std::vector<std::pair<std::string, std::string>> OpenMpEnvironment(int threads, Processors processors);

// ProgramBeside returns the path of `name` in the directory of the running program.
std::filesystem::path ProgramBeside(const std::string& name);

// ScratchDirectory is a directory of our own, for this user only, that goes with everything in it.
class ScratchDirectory {
 public:
  // Errors: kUnavailable.
  static Result<std::unique_ptr<ScratchDirectory>> Make();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::filesystem::path path);
  std::filesystem::path path_;
  Cleanup cleanup_;
};

}  // namespace soter
