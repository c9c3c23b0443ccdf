#include "tools/cli/exit_code.h"

namespace soter {

ExitCode ExitCodeFor(ErrorCode code) {
  switch (code) {
    case ErrorCode::kMalformed: return ExitCode::kBadInput;
    case ErrorCode::kInvalidArgument: return ExitCode::kBadInput;
    case ErrorCode::kIntegrity: return ExitCode::kWrongResult;
    case ErrorCode::kAuth: return ExitCode::kRefused;
    case ErrorCode::kUnsupported: return ExitCode::kUnsupported;
    case ErrorCode::kUnavailable: return ExitCode::kAcceleratorGone;
    case ErrorCode::kExhausted: return ExitCode::kUnexpected;
  }
  return ExitCode::kUnexpected;
}

}  // namespace soter
