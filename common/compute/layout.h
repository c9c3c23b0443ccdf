#pragma once

#include "common/tensor/tensor.h"

// Inside a program the three layouts are understood for 1 to 3 spatial axes: kDense is [n, c, spatial...],
// kNhwc is [n, spatial..., c], kNChw16c is [n, ceil(c / 16), spatial..., 16].
namespace soter::compute {

inline constexpr int64_t kChannelBlock = 16;

// CanLieAs tells whether a tensor of `type` can have `layout` inside a program.
bool CanLieAs(const TensorType& type, Layout layout);

// MemoryShape returns the extents of `shape` in the order in which `layout` stores them.
Shape MemoryShape(const Shape& shape, Layout layout);

// StorageBytes is the size of a tensor that the program holds in `layout`.
size_t StorageBytes(const TensorType& type, Layout layout);

// HasPadding tells whether `layout` stores elements that are not of the tensor.
bool HasPadding(const Shape& shape, Layout layout);

// SameMemory tells whether both layouts give every element of `shape` the same place.
bool SameMemory(const Shape& shape, Layout a, Layout b);

// Product multiplies the extents of shape[begin, end); the shapes of a bound graph cannot overflow.
int64_t Product(const Shape& shape, size_t begin, size_t end);
inline int64_t Product(const Shape& shape) { return Product(shape, 0, shape.size()); }

// DenseStrides returns the row-major strides of `shape`, in elements.
Shape DenseStrides(const Shape& shape);

// NormalAxis turns a negative axis into its index from the front.
inline size_t NormalAxis(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

}  // namespace soter::compute
