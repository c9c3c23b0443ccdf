#include "untrusted/backend/cuda/status.h"

#include <atomic>

namespace soter::cuda {

namespace {

std::atomic<bool> lost{false};

// OutlivesTheCall: errors after which a context refuses every further call.
bool OutlivesTheCall(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress: case cudaErrorLaunchFailure: case cudaErrorLaunchTimeout: case cudaErrorAssert:
    case cudaErrorHardwareStackError: case cudaErrorIllegalInstruction: case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace: case cudaErrorInvalidPc: case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable: case cudaErrorDevicesUnavailable: case cudaErrorContained:
    case cudaErrorTensorMemoryLeak: case cudaErrorExternalDevice: case cudaErrorUnknown:
      return true;
    default: return false;
  }
}

std::string Sentence(const char* what, const std::string& why) {
  return std::string("the GPU failed to ") + what + ": " + why;
}

// A library's failure may hide a fault of the device, which stays until the process ends.
Error LibraryFailed(const std::string& sentence) {
  if (OutlivesTheCall(cudaGetLastError())) MarkLost();
  return Unavailable(sentence);
}

}  // namespace

void MarkLost() { lost = true; }
bool IsLost() { return lost; }

Status CudaStatus(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return {};
  if (OutlivesTheCall(error)) MarkLost();
  cudaGetLastError();  // the error has been taken note of; later calls must not report it again
  switch (error) {
    case cudaErrorMemoryAllocation: return Exhausted(Sentence(what, "its memory is full"));
    case cudaErrorNoDevice: return Unavailable("there is no NVIDIA GPU");
    case cudaErrorInsufficientDriver: return Unavailable("there is no NVIDIA driver, or one older than this program needs");
    case cudaErrorNoKernelImageForDevice:
      return Unavailable("this program was not built for this GPU (CMAKE_CUDA_ARCHITECTURES)");
    default: return Unavailable(Sentence(what, cudaGetErrorString(error)));
  }
}

Status CudnnStatus(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return {};
  std::string sentence = Sentence(what, cudnnGetErrorString(status));
  int category = static_cast<int>(status) / 1000 * 1000;
  if (status == CUDNN_STATUS_ALLOC_FAILED) return Exhausted(sentence);
  if (category == CUDNN_STATUS_NOT_SUPPORTED || category == CUDNN_STATUS_BAD_PARAM) return Unsupported(sentence);
  return LibraryFailed(sentence);
}

Status CublasStatus(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  std::string sentence = Sentence(what, cublasLtGetStatusString(status));
  if (status == CUBLAS_STATUS_ALLOC_FAILED) return Exhausted(sentence);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) return Unsupported(sentence);
  return LibraryFailed(sentence);
}

}  // namespace soter::cuda
