// verify_files EVIDENCE COLLATERAL POLICY TIME: the verdict as JSON, for scripts that compare verifiers.
#include <cstdio>
#include <iostream>

#include "client/verify_command.h"

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: verify_files EVIDENCE COLLATERAL POLICY TIME\n", stderr), 2;
  soter::VerifyCommand command = {
      .evidence_path = argv[1], .collateral_paths = {argv[2]}, .policy_path = argv[3], .at = argv[4], .json = true};
  int code = soter::RunVerify(command, std::cout, std::cerr);
  if (code == 2) std::cerr << "\n";
  return code;
}
