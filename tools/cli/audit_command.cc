#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "tools/cli/child_process.h"
#include "tools/cli/commands.h"
#include "tools/cli/exit_code.h"

namespace soter {

namespace {

int BecomeAudit(const std::vector<std::string>& arguments) {
  std::string program = ProgramBeside("soter-audit").string();
  std::vector<char*> argv = {program.data()};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  std::fprintf(stderr, "soter: %s cannot be started: %s\n", program.c_str(), std::strerror(errno));
  return static_cast<int>(ExitCode::kUnexpected);
}

}  // namespace

// The audit is a program of its own, so that soter does not link what only attacks need; its options are its own too.
void AddAuditCommand(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("audit", "Run the published attacks against what an accelerator sees.");
  command->prefix_command();
  command->set_help_flag();
  command->callback([command, &chosen] {
    chosen.serve = [arguments = command->remaining()] { return BecomeAudit(arguments); };
  });
}

}  // namespace soter
