#include "common/compute/layout.h"

namespace soter::compute {

bool CanLieAs(const TensorType& type, Layout layout) {
  if (layout == Layout::kDense) return true;
  return type.dtype == DType::kFloat32 && type.shape.size() >= 3 && type.shape.size() <= 5;
}

Shape MemoryShape(const Shape& shape, Layout layout) {
  if (layout == Layout::kDense) return shape;
  Shape memory = {shape[0]};
  if (layout == Layout::kNChw16c) memory.push_back((shape[1] + kChannelBlock - 1) / kChannelBlock);
  memory.insert(memory.end(), shape.begin() + 2, shape.end());
  memory.push_back(layout == Layout::kNChw16c ? kChannelBlock : shape[1]);
  return memory;
}

size_t StorageBytes(const TensorType& type, Layout layout) {
  return static_cast<size_t>(Product(MemoryShape(type.shape, layout))) * DTypeBytes(type.dtype);
}

bool HasPadding(const Shape& shape, Layout layout) {
  return layout == Layout::kNChw16c && shape[1] % kChannelBlock != 0;
}

bool SameMemory(const Shape& shape, Layout a, Layout b) {
  if (a == b) return true;
  if (HasPadding(shape, a) || HasPadding(shape, b)) return false;
  if (Product(shape, 2, shape.size()) == 1) return true;
  return shape[1] == 1 && a != Layout::kNChw16c && b != Layout::kNChw16c;
}

int64_t Product(const Shape& shape, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t i = begin; i < end; ++i) product *= shape[i];
  return product;
}

Shape DenseStrides(const Shape& shape) {
  Shape strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

}  // namespace soter::compute
