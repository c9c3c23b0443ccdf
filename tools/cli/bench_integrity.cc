#include "tools/cli/bench_integrity.h"

#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tools/cli/child_process.h"

namespace soter {
namespace {

std::string Joined(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
  return joined;
}

}  // namespace

// A program of its own, since it contains a worker that lies; it takes this one's place.
Status BenchIntegrity(const BenchOptions& options) {
  std::string program = ProgramBeside("soter-integrity-bench").string();
  std::vector<std::string> arguments = {program, "--report", options.report, "--models", Joined(options.models),
                                        "--rounds", std::to_string(options.rounds), "--repeat", std::to_string(options.repeat)};
  if (options.threads > 0) arguments.insert(arguments.end(), {"--threads", std::to_string(options.threads)});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  sigset_t none;  // soter waits for signals in a thread of its own; what is blocked here would stay so there
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(program.c_str(), pointers.data());
  return Unavailable("cannot start " + program + ": " + std::strerror(errno));
}

}  // namespace soter
