#pragma once

#include <string>

#include "untrusted/backend/backend.h"

namespace soter {

// BackendModule is what a backend in a shared library of its own offers. It is apart so that a program starts, and
// serves from the CPU, where the libraries of an accelerator's vendor are missing.
struct BackendModule {
  std::string build;   // of the library: must be that of the program, since both share C++ types
  std::string device;  // its name
  Result<BackendFactory> factory = Unavailable("the backend was not opened");
};

// HasCudaModule tells whether libsoter_cuda.so is where OpenCudaModule looks; not whether it can be used.
bool HasCudaModule();

// OpenCudaModule loads libsoter_cuda.so, from beside the running program or from ../lib, and opens the GPU with that
// index. Errors: kUnavailable (no such library, one of its own libraries is missing, another build, no driver, no
// GPU), kInvalidArgument (no GPU with that index).
Result<BackendModule> OpenCudaModule(uint32_t device);

}  // namespace soter

// SoterOpenModule is the entry that such a library exports.
extern "C" void SoterOpenModule(uint32_t device, soter::BackendModule* module);
