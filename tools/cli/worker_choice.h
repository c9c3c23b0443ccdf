#pragma once

#include <string>

#include "common/wire/control.h"

namespace soter {

// WorkerChoice is what --worker means: the backend of a worker to start, or the address of one that runs.
struct WorkerChoice {
  std::string backend;  // "cpu", "cuda", "auto" (a GPU if it can be used after all)
  uint32_t device = 0;  // which GPU
  std::string address;
  control::WorkerKind kind = control::WorkerKind::kCpu;  // whose bounds its results are held against; not of an address
};

// HasGpu tells whether the machine shows an NVIDIA device to this user.
bool HasGpu();
// BuiltWithCuda tells whether this build can use one.
bool BuiltWithCuda();

// ChooseWorker reads "auto", "cpu", "cuda", "cuda:N" or an address; auto is CUDA where there is a GPU and this build can use
// it. Errors: kInvalidArgument (none of these), kUnavailable (CUDA in a build without it).
Result<WorkerChoice> ChooseWorker(const std::string& option);

}  // namespace soter
