#include "tools/cli/worker_choice.h"

#include <unistd.h>

#include "common/wire/address.h"
#include "untrusted/backend/module.h"

namespace soter {

bool HasGpu() { return ::access("/dev/nvidiactl", R_OK | W_OK) == 0; }

bool BuiltWithCuda() { return HasCudaModule(); }

Result<WorkerChoice> ChooseWorker(const std::string& option) {
  if (option == "auto") return WorkerChoice{.backend = HasGpu() && BuiltWithCuda() ? "cuda" : "cpu"};
  if (option == "cpu") return WorkerChoice{.backend = "cpu"};
  if (option == "cuda") {
    if (!BuiltWithCuda()) {
      return Unavailable("--worker cuda: this build has no CUDA accelerator; scripts/build cuda makes one");
    }
    return WorkerChoice{.backend = "cuda"};
  }
  Result<wire::Address> address = wire::ParseAddress(option);
  if (!address.ok()) return InvalidArgument("--worker " + option + ": give auto, cpu, cuda, unix:PATH or HOST:PORT");
  return WorkerChoice{.address = option};
}

}  // namespace soter
