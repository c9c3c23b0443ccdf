// soter: what the owner of a model and the operator of a device type.

#include <unistd.h>

#include <cstdio>
#include <exception>

#include "tools/cli/cleanup.h"
#include "tools/cli/commands.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/text.h"

namespace {

int Fail(soter::ExitCode code, const std::string& message) {
  std::fprintf(stderr, "soter: %s\n", soter::TerminalSafe(message, soter::Lines::kJoin).c_str());
  return static_cast<int>(code);
}

int RunCommand(const soter::Command& command) {
  try {
    soter::Status status = command.run();
    if (!status.ok()) return Fail(soter::ExitCodeFor(status.error().code), status.error().message);
  } catch (const std::bad_alloc&) {
    return Fail(soter::ExitCode::kUnexpected, "out of memory");
  } catch (const std::exception& error) {
    return Fail(soter::ExitCode::kUnexpected, error.what());
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return Fail(soter::ExitCode::kUnexpected, "standard output cannot be written");
  }
  return static_cast<int>(soter::ExitCode::kDone);
}

}  // namespace

int main(int argc, char** argv) {
  soter::Command chosen;
  CLI::App app(
      "Soter: neural network inference on an untrusted accelerator, with hidden weights and checked results.",
      "soter");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("soter ") + SOTER_VERSION);
  soter::AddRunCommand(app, chosen);
  soter::AddPlanCommand(app, chosen);
  soter::AddCheckCommand(app, chosen);
  soter::AddViewCommand(app, chosen);
  soter::AddAuditCommand(app, chosen);
  soter::AddZooCommand(app, chosen);
  soter::AddDoctorCommand(app, chosen);
  soter::AddAttestCommand(app, chosen);
  soter::AddVerifyCommand(app, chosen);
  soter::AddWorkerCommand(app, chosen);
  soter::AddBenchCommand(app, chosen);
  soter::AddKeygenCommand(app, chosen);
  soter::AddSealCommand(app, chosen);
  soter::AddResealCommand(app, chosen);
  soter::AddInspectCommand(app, chosen);
  soter::AddBrokerCommand(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return Fail(soter::ExitCode::kBadInput, std::string(error.what()) + " (soter --help lists what there is)");
  }
  if (chosen.serve) return chosen.serve();
  soter::CleanUpOnSignals();
  return RunCommand(chosen);
}
