#include "untrusted/backend/cuda/kernels/movement.h"

#include <cuda/atomic>

#include "untrusted/backend/cuda/kernels/launch.cuh"

namespace soter::cuda {

namespace {

// OfWidth calls f with a number as wide as an element.
template <typename F>
cudaError_t OfWidth(size_t element_bytes, F f) {
  switch (element_bytes) {
    case 1: return f(uint8_t{});
    case 2: return f(uint16_t{});
    case 4: return f(uint32_t{});
    case 8: return f(uint64_t{});
    default: return cudaErrorInvalidValue;
  }
}

template <typename T>
cudaError_t CopyElements(cudaStream_t stream, const Walk<2>& walk, const T* x, T* y) {
  return ForEach(stream, walk.count, [=] __device__(int64_t i) {
    int64_t at[2];
    walk.At(i, at);
    y[at[0]] = x[at[1]];
  });
}

template <typename T>
cudaError_t PadElements(cudaStream_t stream, const PadShape& shape, const T* x, T* y) {
  return ForEach(stream, shape.count, [=] __device__(int64_t i) {
    int64_t rest = i, at = 0, stride = 1;
    bool inside = true;
    for (int d = shape.rank - 1; d >= 0; --d) {
      auto [above, within] = Divide(rest, shape.extents[d]);
      int64_t index = PaddedIndex(shape.mode, within - shape.begins[d], shape.source[d]);
      inside = inside && index >= 0;
      at += index * stride;
      stride *= shape.source[d];
      rest = above;
    }
    y[i] = inside ? x[at] : static_cast<T>(shape.value);
  });
}

// Checked counts a negative index from the end, and reports one that is out of range.
template <typename Index>
__device__ int64_t Checked(Index index, int64_t extent, uint32_t* fault) {
  int64_t at = index < 0 ? index + extent : static_cast<int64_t>(index);
  if (at >= 0 && at < extent) return at;
  *fault = 1;  // every thread that stores here stores the same
  return 0;
}

template <typename T, typename Index>
cudaError_t GatherSlices(cudaStream_t stream, const GatherShape& s, const T* data, const Index* indices, T* y,
                         uint32_t* fault) {
  return ForEach(stream, s.outer * s.count * s.inner, [=] __device__(int64_t i) {
    auto [row, inner] = Divide(i, s.inner);
    auto [outer, at] = Divide(row, s.count);
    y[i] = data[(outer * s.extent + Checked(indices[at], s.extent, fault)) * s.inner + inner];
  });
}

template <typename T, typename Index>
cudaError_t GatherSingly(cudaStream_t stream, const Walk<2>& walk, int64_t extent, int64_t step, const T* data,
                         const Index* indices, T* y, uint32_t* fault) {
  return ForEach(stream, walk.count, [=] __device__(int64_t i) {
    int64_t at[2];
    walk.At(i, at);
    y[at[0]] = data[at[1] + Checked(indices[at[0]], extent, fault) * step];
  });
}

template <typename T>
cudaError_t KeepSide(cudaStream_t stream, const TriluShape& s, const T* x, T* y) {
  return ForEach(stream, s.count, [=] __device__(int64_t i) {
    auto [line, column] = Divide(i, s.columns);
    int64_t row = Divide(line, s.rows).rest;
    bool kept = s.upper ? column - row >= s.diagonal : column - row <= s.diagonal;
    y[i] = kept ? x[i] : T{0};
  });
}

__global__ void SignalKernel(uint32_t* flag) {
  ::cuda::atomic_ref<uint32_t, ::cuda::thread_scope_system>(*flag).store(1, ::cuda::memory_order_release);
}

}  // namespace

cudaError_t LaunchCopy(cudaStream_t stream, size_t element_bytes, const Walk<2>& walk, const void* x, void* y) {
  return OfWidth(element_bytes, [&](auto width) {
    using T = decltype(width);
    return CopyElements(stream, walk, static_cast<const T*>(x), static_cast<T*>(y));
  });
}

cudaError_t LaunchToLayout(cudaStream_t stream, const LaidOut& shape, int64_t count, const float* x, float* y) {
  return ForEach(stream, count, [=] __device__(int64_t i) {
    int64_t at = OffsetInDense(shape, i);
    y[i] = at < 0 ? 0.0f : x[at];
  });
}

cudaError_t LaunchFromLayout(cudaStream_t stream, const LaidOut& shape, int64_t count, const float* x, float* y) {
  return ForEach(stream, count, [=] __device__(int64_t i) { y[i] = x[OffsetInLayout(shape, i)]; });
}

cudaError_t LaunchPad(cudaStream_t stream, size_t element_bytes, const PadShape& shape, const void* x, void* y) {
  return OfWidth(element_bytes, [&](auto width) {
    using T = decltype(width);
    return PadElements(stream, shape, static_cast<const T*>(x), static_cast<T*>(y));
  });
}

cudaError_t LaunchGather(cudaStream_t stream, size_t element_bytes, DType index_dtype, const GatherShape& shape,
                         const void* data, const void* indices, void* y, uint32_t* fault) {
  return OfWidth(element_bytes, [&](auto width) {
    using T = decltype(width);
    const T* from = static_cast<const T*>(data);
    T* to = static_cast<T*>(y);
    if (index_dtype == DType::kInt32) {
      return GatherSlices(stream, shape, from, static_cast<const int32_t*>(indices), to, fault);
    }
    return GatherSlices(stream, shape, from, static_cast<const int64_t*>(indices), to, fault);
  });
}

cudaError_t LaunchGatherElements(cudaStream_t stream, size_t element_bytes, DType index_dtype, const Walk<2>& walk,
                                 int64_t extent, int64_t step, const void* data, const void* indices, void* y,
                                 uint32_t* fault) {
  return OfWidth(element_bytes, [&](auto width) {
    using T = decltype(width);
    const T* from = static_cast<const T*>(data);
    T* to = static_cast<T*>(y);
    if (index_dtype == DType::kInt32) {
      return GatherSingly(stream, walk, extent, step, from, static_cast<const int32_t*>(indices), to, fault);
    }
    return GatherSingly(stream, walk, extent, step, from, static_cast<const int64_t*>(indices), to, fault);
  });
}

cudaError_t LaunchTrilu(cudaStream_t stream, size_t element_bytes, const TriluShape& shape, const void* x, void* y) {
  return OfWidth(element_bytes, [&](auto width) {
    using T = decltype(width);
    return KeepSide(stream, shape, static_cast<const T*>(x), static_cast<T*>(y));
  });
}

cudaError_t LaunchSignal(cudaStream_t stream, uint32_t* flag) {
  SignalKernel<<<1, 1, 0, stream>>>(flag);
  return cudaGetLastError();
}

}  // namespace soter::cuda
