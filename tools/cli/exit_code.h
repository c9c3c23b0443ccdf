#pragma once

#include "common/base/result.h"

namespace soter {

// ExitCode is what `soter` and its tests agree on (README.md). A signal ends the program in the signal's own way.
enum class ExitCode : int {
  kDone = 0,
  kUnexpected = 1,   // memory, disk, a process: something of this machine failed
  kBadInput = 2,     // the command line or a file
  kWrongResult = 3,  // the accelerator's result is wrong; no output was written
  kRefused = 4,      // authentication, signature or attestation
  kUnsupported = 5,
  kAcceleratorGone = 6,  // or late
};

ExitCode ExitCodeFor(ErrorCode code);

}  // namespace soter
