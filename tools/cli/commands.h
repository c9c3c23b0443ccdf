#pragma once

#include "tools/cli/options.h"

namespace soter {

// Each adds one subcommand; when the user names it, `chosen` becomes what to do.
void AddRunCommand(CLI::App& app, Command& chosen);
void AddPlanCommand(CLI::App& app, Command& chosen);
void AddCheckCommand(CLI::App& app, Command& chosen);
void AddViewCommand(CLI::App& app, Command& chosen);
void AddAuditCommand(CLI::App& app, Command& chosen);
void AddZooCommand(CLI::App& app, Command& chosen);
void AddDoctorCommand(CLI::App& app, Command& chosen);
void AddAttestCommand(CLI::App& app, Command& chosen);
void AddVerifyCommand(CLI::App& app, Command& chosen);
void AddWorkerCommand(CLI::App& app, Command& chosen);
void AddBenchCommand(CLI::App& app, Command& chosen);
void AddKeygenCommand(CLI::App& app, Command& chosen);
void AddSealCommand(CLI::App& app, Command& chosen);
void AddResealCommand(CLI::App& app, Command& chosen);
void AddInspectCommand(CLI::App& app, Command& chosen);
void AddBrokerCommand(CLI::App& app, Command& chosen);

}  // namespace soter
