#pragma once

#include "untrusted/backend/cuda/linear.h"

// cuDNN marks its legacy convolution interface as superseded by graphs of operations, which only a C++ library on top
// makes usable; the interface itself is complete and kept.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace soter::cuda {

// ConvDescriptors describe a convolution to cuDNN: the one that is computed, or the one that a transposed convolution
// undoes (from its y to its x).
struct ConvDescriptors {
  Owned<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor> x, y, bias;
  Owned<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor> weight;
  Owned<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor> window;
  Owned<cudnnActivationDescriptor_t, cudnnDestroyActivationDescriptor> relu;
};

// Describe makes them for a shape with at least two spatial axes. Errors: kUnsupported (an extent beyond 32 bits).
Result<ConvDescriptors> Describe(const ConvShape& shape);

// Scalars of a convolution, in the type that cuDNN reads: double for float64, else float.
const void* One(wire::Arithmetic arithmetic);
const void* Zero(wire::Arithmetic arithmetic);

}  // namespace soter::cuda
