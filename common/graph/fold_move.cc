#include <cstring>

#include "common/graph/fold.h"

namespace soter {
namespace {

// Move makes a tensor whose element at each index is that of `x` at source(index).
template <typename Source>
Folded Move(const Tensor& x, const TensorType& type, Source&& source) {
  Tensor y = TRY(Tensor::Allocate(type));
  size_t element_bytes = DTypeBytes(type.dtype);
  ForEachIndex(type.shape, [&](int64_t linear, std::span<const int64_t> index) {
    std::memcpy(y.mutable_bytes().data() + linear * element_bytes, x.bytes().data() + source(index) * element_bytes,
                element_bytes);
  });
  return std::optional(std::move(y));
}

// ReadIndices returns the indices as non-negative positions. Errors: kMalformed (outside the axis).
Result<std::vector<int64_t>> ReadIndices(const Tensor& indices, int64_t extent) {
  std::vector<int64_t> positions;
  auto append = [&](auto values) { positions.assign(values.begin(), values.end()); };
  if (indices.dtype() == DType::kInt64) append(indices.As<int64_t>());
  else append(indices.As<int32_t>());
  for (int64_t& position : positions) {
    if (position < -extent || position >= extent)
      return Malformed("index " + std::to_string(position) + " is outside an axis of " + std::to_string(extent));
    if (position < 0) position += extent;
  }
  return positions;
}

int64_t PositiveAxis(int64_t axis, const Shape& shape) {
  return axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis;
}

}  // namespace

Folded FoldCopy(const Tensor& x, const TensorType& type) {
  Tensor y = TRY(Tensor::Allocate(type));
  if (!x.bytes().empty()) std::memcpy(y.mutable_bytes().data(), x.bytes().data(), x.bytes().size());
  return std::optional(std::move(y));
}

Folded FoldGather(const Gather& op, Constants in, const TensorType& type) {
  const Tensor& data = *in[0];
  size_t axis = PositiveAxis(op.axis, data.shape());
  size_t index_rank = in[1]->shape().size();
  std::vector<int64_t> positions = TRY(ReadIndices(*in[1], data.shape()[axis]));
  std::vector<int64_t> strides = RowMajorStrides(data.shape());
  std::vector<int64_t> index_strides = RowMajorStrides(in[1]->shape());
  return Move(data, type, [&](std::span<const int64_t> index) {
    // Elements: the whole index names the position; else the axes from `axis` on do.
    std::span<const int64_t> within = op.elements ? index : index.subspan(axis, index_rank);
    int64_t offset = positions[LinearOffset(within, index_strides)] * strides[axis];
    for (size_t i = 0; i < strides.size(); ++i) {
      if (i == axis) continue;
      size_t from = op.elements || i < axis ? i : i - 1 + index_rank;
      offset += index[from] * strides[i];
    }
    return offset;
  });
}

Folded FoldSlice(const Operands& in, const TensorType& type) {
  std::vector<SliceRange> ranges = TRY(ResolveSlice(in));
  std::vector<int64_t> strides = RowMajorStrides(in.shape(0));
  return Move(*in.constant(0), type, [&](std::span<const int64_t> index) {
    int64_t offset = 0;
    for (size_t i = 0; i < index.size(); ++i) offset += (ranges[i].start + index[i] * ranges[i].step) * strides[i];
    return offset;
  });
}

Folded FoldConcat(const Concat& op, Constants in, const TensorType& type) {
  Tensor y = TRY(Tensor::Allocate(type));
  size_t axis = PositiveAxis(op.axis, type.shape);
  int64_t outer = TRY(ElementCount(Shape(type.shape.begin(), type.shape.begin() + axis)));
  std::byte* target = y.mutable_bytes().data();
  for (int64_t row = 0; row < outer; ++row) {
    for (const Tensor* part : in) {
      size_t row_bytes = part->bytes().size() / outer;
      if (row_bytes > 0) std::memcpy(target, part->bytes().data() + row * row_bytes, row_bytes);
      target += row_bytes;
    }
  }
  return std::optional(std::move(y));
}

Folded FoldExpand(Constants in, const TensorType& type) {
  std::vector<int64_t> strides = BroadcastStrides(in[0]->shape(), type.shape);
  return Move(*in[0], type, [&](std::span<const int64_t> index) { return LinearOffset(index, strides); });
}

Folded FoldTile(Constants in, const TensorType& type) {
  const Shape& x = in[0]->shape();
  std::vector<int64_t> strides = RowMajorStrides(x);
  return Move(*in[0], type, [&](std::span<const int64_t> index) {
    int64_t offset = 0;
    for (size_t i = 0; i < index.size(); ++i) offset += index[i] % x[i] * strides[i];
    return offset;
  });
}

Folded FoldTranspose(const Transpose& op, Constants in, const TensorType& type) {
  std::vector<int64_t> strides = RowMajorStrides(in[0]->shape());
  std::vector<int64_t> permuted(strides.rbegin(), strides.rend());
  for (size_t i = 0; i < op.perm.size(); ++i) permuted[i] = strides[op.perm[i]];
  return Move(*in[0], type, [&](std::span<const int64_t> index) { return LinearOffset(index, permuted); });
}

Folded FoldFill(Constants in, const TensorType& type) {
  return Move(*in[1], type, [](std::span<const int64_t>) { return 0; });
}

Result<std::vector<Tensor>> FoldSplit(const Split& op, Constants in, std::span<const TensorType> types) {
  size_t axis = PositiveAxis(op.axis, in[0]->shape());
  std::vector<int64_t> strides = RowMajorStrides(in[0]->shape());
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (const TensorType& type : types) {
    std::optional<Tensor> part = TRY(Move(*in[0], type, [&](std::span<const int64_t> index) {
      return LinearOffset(index, strides) + start * strides[axis];
    }));
    parts.push_back(std::move(*part));
    start += type.shape[axis];
  }
  return parts;
}

}  // namespace soter
