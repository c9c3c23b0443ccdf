#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// What the kernels share: a loop over elements, and reductions inside one block.
namespace soter::cuda {

inline constexpr int kBlockThreads = 256;
inline constexpr int kWarpThreads = 32;

// Blocks is how many blocks of kBlockThreads cover `count` elements; beyond the cap, threads take several.
inline unsigned Blocks(int64_t count) {
  constexpr int64_t kCap = 1 << 16;
  int64_t blocks = (count + kBlockThreads - 1) / kBlockThreads;
  return static_cast<unsigned>(blocks < kCap ? blocks : kCap);
}

template <typename F>
__global__ void __launch_bounds__(kBlockThreads) ForEachKernel(int64_t count, F f) {
  int64_t step = static_cast<int64_t>(gridDim.x) * kBlockThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x; i < count; i += step) f(i);
}

// ForEach calls f(i) for i below `count`, neighbours in neighbouring threads.
template <typename F>
cudaError_t ForEach(cudaStream_t stream, int64_t count, F f) {
  if (count == 0) return cudaSuccess;
  ForEachKernel<<<Blocks(count), kBlockThreads, 0, stream>>>(count, f);
  return cudaGetLastError();
}

template <typename F>
__global__ void __launch_bounds__(kBlockThreads) ForEachRowKernel(int64_t rows, F f) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) f(row);
}

// ForEachRow calls f(row) in all threads of one block at once: as many as a row of `row_elements` can use.
template <typename F>
cudaError_t ForEachRow(cudaStream_t stream, int64_t rows, int64_t row_elements, F f) {
  constexpr int64_t kCap = 1 << 20;
  if (rows == 0) return cudaSuccess;
  int threads = kBlockThreads;
  while (threads > kWarpThreads && threads / 2 >= row_elements) threads /= 2;
  ForEachRowKernel<<<static_cast<unsigned>(rows < kCap ? rows : kCap), threads, 0, stream>>>(rows, f);
  return cudaGetLastError();
}

// BlockReduce combines one value of each thread of the block; all threads call it and all get the result. `combine`
// must be associative and commutative. The block has whole warps.
template <typename Combine>
__device__ float BlockReduce(float value, float identity, Combine combine) {
  __shared__ float partial[kBlockThreads / kWarpThreads];
  for (int distance = kWarpThreads / 2; distance > 0; distance /= 2) {
    value = combine(value, __shfl_xor_sync(0xffffffffu, value, distance));
  }
  int warp = threadIdx.x / kWarpThreads, lane = threadIdx.x % kWarpThreads;
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  float total = lane < static_cast<int>(blockDim.x) / kWarpThreads ? partial[lane] : identity;
  for (int distance = kWarpThreads / 2; distance > 0; distance /= 2) {
    total = combine(total, __shfl_xor_sync(0xffffffffu, total, distance));
  }
  __syncthreads();  // before the next call writes `partial`
  return total;
}

__device__ inline float BlockSum(float value) {
  return BlockReduce(value, 0.0f, [](float a, float b) { return a + b; });
}

}  // namespace soter::cuda
