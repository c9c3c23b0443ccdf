#include "untrusted/backend/cuda/conv_descriptors.h"

#include <limits>

#include "common/compute/layout.h"

namespace soter::cuda {

namespace {

struct Types {
  cudnnDataType_t tensor, compute;
  cudnnMathType_t math;
};

Types TypesOf(wire::Arithmetic arithmetic) {
  switch (arithmetic) {
    case wire::Arithmetic::kTf32: return {CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, CUDNN_DEFAULT_MATH};
    case wire::Arithmetic::kFloat16: return {CUDNN_DATA_HALF, CUDNN_DATA_FLOAT, CUDNN_TENSOR_OP_MATH};
    case wire::Arithmetic::kFloat64: return {CUDNN_DATA_DOUBLE, CUDNN_DATA_DOUBLE, CUDNN_DEFAULT_MATH};
    default: return {CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, CUDNN_FMA_MATH};  // the default would round to TF32
  }
}

Result<std::vector<int>> Ints(const std::vector<int64_t>& numbers) {
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  std::vector<int> ints;
  for (int64_t number : numbers) {
    if (number > kMost) return Unsupported("an extent of a convolution does not fit 32 bits");
    ints.push_back(static_cast<int>(number));
  }
  return ints;
}

template <typename Handle>
Result<Handle> Create(cudnnStatus_t (*create)(typename Handle::pointer*)) {
  typename Handle::pointer raw = nullptr;
  TRY(CudnnStatus(create(&raw), "describe a convolution"));
  return Handle(raw);
}

using TensorDescriptor = decltype(ConvDescriptors::x);

Result<TensorDescriptor> DescribeTensor(const Shape& shape, cudnnDataType_t type) {
  auto tensor = TRY(Create<TensorDescriptor>(cudnnCreateTensorDescriptor));
  std::vector<int> extents = TRY(Ints(shape)), strides = TRY(Ints(compute::DenseStrides(shape)));
  TRY(CudnnStatus(cudnnSetTensorNdDescriptor(tensor.get(), type, static_cast<int>(extents.size()), extents.data(),
                                             strides.data()),
                  "describe a tensor"));
  return tensor;
}

}  // namespace

Result<ConvDescriptors> Describe(const ConvShape& shape) {
  Types types = TypesOf(shape.arithmetic);
  ConvDescriptors d;
  d.x = TRY(DescribeTensor(shape.x, types.tensor));
  d.y = TRY(DescribeTensor(shape.y, types.tensor));
  Shape bias(shape.y.size(), 1);
  bias[1] = shape.y[1];
  d.bias = TRY(DescribeTensor(bias, types.tensor));
  d.weight = TRY(Create<decltype(d.weight)>(cudnnCreateFilterDescriptor));
  std::vector<int> weight = TRY(Ints(shape.weight));
  TRY(CudnnStatus(cudnnSetFilterNdDescriptor(d.weight.get(), types.tensor, CUDNN_TENSOR_NCHW,
                                             static_cast<int>(weight.size()), weight.data()),
                  "describe a weight"));
  d.window = TRY(Create<decltype(d.window)>(cudnnCreateConvolutionDescriptor));
  std::vector<int> pads = TRY(Ints(shape.window.pads_begin)), strides = TRY(Ints(shape.window.strides)),
                   dilations = TRY(Ints(shape.window.dilations));
  TRY(CudnnStatus(cudnnSetConvolutionNdDescriptor(d.window.get(), static_cast<int>(pads.size()), pads.data(),
                                                  strides.data(), dilations.data(), CUDNN_CROSS_CORRELATION,
                                                  types.compute),
                  "describe a window"));
  TRY(CudnnStatus(cudnnSetConvolutionGroupCount(d.window.get(), static_cast<int>(shape.groups)), "describe groups"));
  TRY(CudnnStatus(cudnnSetConvolutionMathType(d.window.get(), types.math), "choose an arithmetic"));
  d.relu = TRY(Create<decltype(d.relu)>(cudnnCreateActivationDescriptor));
  TRY(CudnnStatus(cudnnSetActivationDescriptor(d.relu.get(), CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0.0),
                  "describe an activation"));
  return d;
}

const void* One(wire::Arithmetic arithmetic) {
  static constexpr float kSingle = 1;
  static constexpr double kWide = 1;
  return arithmetic == wire::Arithmetic::kFloat64 ? static_cast<const void*>(&kWide) : &kSingle;
}

const void* Zero(wire::Arithmetic arithmetic) {
  static constexpr float kSingle = 0;
  static constexpr double kWide = 0;
  return arithmetic == wire::Arithmetic::kFloat64 ? static_cast<const void*>(&kWide) : &kSingle;
}

}  // namespace soter::cuda
