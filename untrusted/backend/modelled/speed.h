#pragma once

#include <string>

#include "common/base/result.h"

namespace soter {

// AcceleratorSpeed describes an accelerator that this machine does not have.
struct AcceleratorSpeed {
  double times_cpu = 0;    // how many times this machine's CPU, as this worker uses it; 0: tflops counts instead
  double tflops = 0;       // 10^12 floating-point operations a second; a multiply-add is two
  double gbps = 0;         // of the link, 10^9 bytes a second each way; 0: as fast as memory is copied here
  double latency_us = 0;   // of one call, there and back
};

// ParseSpeed reads "10x" or "tflops=13.4", with ",gbps=12" and ",latency-us=20" where a link is meant too.
// Errors: kInvalidArgument, saying what is accepted.
Result<AcceleratorSpeed> ParseSpeed(const std::string& text);

}  // namespace soter
