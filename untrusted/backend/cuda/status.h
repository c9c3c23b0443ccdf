#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include "common/base/result.h"

// Errors of NVIDIA's libraries as ours. `what` completes "the GPU failed to ...".
//   kExhausted    its memory ran out
//   kUnsupported  it, or a library, cannot compute this
//   kUnavailable  anything else: no driver, no device, a launch that failed, a device that was lost
namespace soter::cuda {

Status CudaStatus(cudaError_t error, const char* what);
Status CudnnStatus(cudnnStatus_t status, const char* what);
Status CublasStatus(cublasStatus_t status, const char* what);

// MarkLost notes that the device of this process answers no more: a kernel never ended, or it failed for good.
// From then on whatever would wait for the device is left out, the freeing of its memory too: what this process
// holds there goes when the process ends.
void MarkLost();
bool IsLost();

}  // namespace soter::cuda
