// soter-audit: what `soter audit` runs. A program of its own, so that soter does not link the attacks' linear algebra.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tools/audit/audit_command.h"
#include "tools/cli/cleanup.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/text.h"

namespace {

int Fail(soter::ExitCode code, const std::string& message) {
  std::fprintf(stderr, "soter: %s\n", soter::TerminalSafe(message, soter::Lines::kJoin).c_str());
  return static_cast<int>(code);
}

// OpenBLAS picks its kernels when it is loaded, and takes the slowest for a processor newer than itself. So the choice
// is made before: the program starts itself again with it. One thread gives the same figures at every run.
void ChooseKernels(char** argv) {
  if (std::getenv("OPENBLAS_NUM_THREADS") != nullptr) return;
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  const char* type = __builtin_cpu_supports("avx512bw") ? "SKYLAKEX" : "HASWELL";
  if (__builtin_cpu_supports("avx2")) ::setenv("OPENBLAS_CORETYPE", type, 0);
  ::execv("/proc/self/exe", argv);
}

}  // namespace

int main(int argc, char** argv) {
  ChooseKernels(argv);
  try {
    soter::CleanUpOnSignals();
    soter::Result<int> code = soter::audit::AuditMain(argc, argv);
    if (!code.ok()) return Fail(soter::ExitCodeFor(code.error().code), code.error().message);
    return *code;
  } catch (const std::exception& error) {
    return Fail(soter::ExitCode::kUnexpected, error.what());
  }
}
