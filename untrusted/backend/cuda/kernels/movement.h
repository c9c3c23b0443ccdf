#pragma once

#include <cuda_runtime.h>

#include "untrusted/backend/cuda/walk.h"

// Kernels that only move elements of `element_bytes` (1, 2, 4 or 8). Each Launch* enqueues on `stream`, allocates
// nothing and returns what the launch returned. Pointers are to device memory.
namespace soter::cuda {

// LaunchCopy copies along a walk of y, x.
cudaError_t LaunchCopy(cudaStream_t stream, size_t element_bytes, const Walk<2>& walk, const void* x, void* y);

// LaunchToLayout and LaunchFromLayout convert float32 between row-major and another layout of `count` elements,
// those of y. What pads a layout becomes zero.
cudaError_t LaunchToLayout(cudaStream_t stream, const LaidOut& shape, int64_t count, const float* x, float* y);
cudaError_t LaunchFromLayout(cudaStream_t stream, const LaidOut& shape, int64_t count, const float* x, float* y);

// PadShape: y has `extents`, x `source` ones; `begins` elements of y stand before the first of x on each axis.
struct PadShape {
  PadMode mode = PadMode::kConstant;
  int rank = 0;
  int64_t count = 0;
  int64_t extents[kMaxRank] = {}, source[kMaxRank] = {}, begins[kMaxRank] = {};
  uint64_t value = 0;  // the constant's bytes, the first in the lowest
};
cudaError_t LaunchPad(cudaStream_t stream, size_t element_bytes, const PadShape& shape, const void* x, void* y);

// GatherShape: data [outer, extent, inner], indices [count], y [outer, count, inner].
struct GatherShape {
  int64_t outer = 1, extent = 1, inner = 1, count = 0;
};
// An index outside [-extent, extent) sets *fault to 1; its elements are those of index 0.
cudaError_t LaunchGather(cudaStream_t stream, size_t element_bytes, DType index_dtype, const GatherShape& shape,
                         const void* data, const void* indices, void* y, uint32_t* fault);

// LaunchGatherElements: y[...] = data[..., indices[...], ...] along a walk of y, and of data with stride 0 on the
// axis, whose elements stand `step` apart. `fault` as above; `extent` must not be 0.
cudaError_t LaunchGatherElements(cudaStream_t stream, size_t element_bytes, DType index_dtype, const Walk<2>& walk,
                                 int64_t extent, int64_t step, const void* data, const void* indices, void* y,
                                 uint32_t* fault);

// LaunchTrilu keeps the elements of [matrices, rows, columns] on one side of a diagonal and zeroes the others.
struct TriluShape {
  int64_t count = 0, rows = 1, columns = 1, diagonal = 0;
  bool upper = true;
};
cudaError_t LaunchTrilu(cudaStream_t stream, size_t element_bytes, const TriluShape& shape, const void* x, void* y);

// LaunchSignal stores 1 into host memory that the device reaches at `flag`, after everything before it in `stream`.
// A host that sees the 1 with an acquiring load also sees what earlier copies of the stream wrote.
cudaError_t LaunchSignal(cudaStream_t stream, uint32_t* flag);

}  // namespace soter::cuda
