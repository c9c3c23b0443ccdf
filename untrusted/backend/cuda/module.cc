#include "untrusted/backend/module.h"

#include "untrusted/backend/cuda/cuda_backend.h"

// The one entry of libsoter_cuda.so.
extern "C" void SoterOpenModule(uint32_t device, soter::BackendModule* module) {
  using soter::cuda::CudaBackend;
  // Opened once here, so that a machine without a GPU is told of before any client comes.
  soter::Result<std::unique_ptr<soter::Backend>> probe = CudaBackend::Open(device);
  module->build = SOTER_BUILD;
  if (!probe.ok()) {
    module->factory = probe.error();
    return;
  }
  module->device = probe.value()->info().device;
  module->factory = soter::BackendFactory([device](uint32_t) { return CudaBackend::Open(device); });
}
