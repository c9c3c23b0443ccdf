#include "client/verify_command.h"

#include <iostream>
#include <memory>
#include <sstream>

#include "tools/cli/commands.h"
#include "tools/cli/exit_code.h"

namespace soter {

namespace {

Status Verify(const VerifyCommand& options) {
  std::ostringstream complaint;
  int code = RunVerify(options, std::cout, complaint);
  std::cout.flush();
  if (code == static_cast<int>(ExitCode::kDone)) return {};
  if (code == static_cast<int>(ExitCode::kRefused)) return AuthError("the evidence is refused; its checks say why");
  return InvalidArgument(complaint.str());
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<VerifyCommand>();
  CLI::App* command = app.add_subcommand("verify", "Judge a TEE's evidence by a policy; every check and its reason.");
  command
      ->add_option("EVIDENCE", options->evidence_path,
                   "what soter attest printed, an SNP report, an SGX or TDX quote, or an RA-TLS certificate")
      ->required();
  command->add_option("--policy", options->policy_path, "what is accepted (docs/spec/attestation.md, 5)")->required();
  command
      ->add_option("--collateral", options->collateral_paths,
                   "Intel's collateral, or its service's answers, certificates and revocation lists; may be repeated")
      ->allow_extra_args(false);  // or it would take EVIDENCE where that follows
  command->add_option("--at", options->at, "judge dates as of this time, like 2025-06-19T10:56:11Z [now]");
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([options, &chosen] { chosen.run = [options] { return Verify(*options); }; });
}

}  // namespace soter
