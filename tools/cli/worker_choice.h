#pragma once

#include <string>

#include "common/base/result.h"

namespace soter {

// WorkerChoice is what --worker means: the backend of a worker to start, or the address of one that runs.
struct WorkerChoice {
  std::string backend;  // "cpu", "cuda"
  std::string address;
};

// HasGpu tells whether the machine shows an NVIDIA device to this user.
bool HasGpu();
// BuiltWithCuda tells whether this build can use one.
bool BuiltWithCuda();

// ChooseWorker reads "auto", "cpu", "cuda" or an address; auto is CUDA where there is a GPU and this build can use
// it. Errors: kInvalidArgument (none of these), kUnavailable (CUDA in a build without it).
Result<WorkerChoice> ChooseWorker(const std::string& option);

}  // namespace soter
