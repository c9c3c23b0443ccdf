#include "owner/passes/evaluate.h"

#include <algorithm>
#include <cstring>

#include "common/graph/fold.h"

namespace soter {
namespace {

// A result larger than this stays a node unless its operands were as large: a few bytes of an Expand or a Fill
// must not turn into gigabytes.
constexpr size_t kSmallBytes = size_t{1} << 20;

bool IsMatrixTranspose(const Node& node, const Tensor& x) {
  const Transpose* transpose = std::get_if<Transpose>(&node.op);
  if (transpose == nullptr || x.shape().size() != 2 || x.dtype() != DType::kFloat32) return false;
  return transpose->perm.empty() || transpose->perm == std::vector<int64_t>{1, 0};
}

// Weights reach hundreds of megabytes. Each tile goes through a buffer, so that both sides are touched in whole
// cache lines: extents that are powers of two would have every store of a column evict the one before.
void TransposeMatrix(const Tensor& x, Tensor* y) {
  constexpr int64_t kTile = 32;
  const int64_t rows = x.shape()[0], columns = x.shape()[1];
  const float* from = x.As<float>().data();
  float* to = y->MutableAs<float>().data();
  float tile[kTile][kTile];
  for (int64_t r0 = 0; r0 < rows; r0 += kTile) {
    const int64_t height = std::min(kTile, rows - r0);
    for (int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const int64_t width = std::min(kTile, columns - c0);
      for (int64_t r = 0; r < height; ++r) {
        for (int64_t c = 0; c < width; ++c) tile[c][r] = from[(r0 + r) * columns + c0 + c];
      }
      for (int64_t c = 0; c < width; ++c) std::copy_n(tile[c], height, to + (c0 + c) * rows + r0);
    }
  }
}

}  // namespace

Result<std::optional<Tensor>> EvaluateNode(const Node& node, std::span<const Tensor* const> operands) {
  std::vector<const TensorType*> types;
  size_t operand_bytes = 0;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i] == nullptr && node.inputs[i] != kNoValue) return std::optional<Tensor>();
    types.push_back(operands[i] != nullptr ? &operands[i]->type() : nullptr);
    if (operands[i] != nullptr) operand_bytes += operands[i]->bytes().size();
  }
  const std::vector<TensorType> out_types = TRY(InferTypes(node, types, operands));
  const size_t out_bytes = TRY(SizeBytes(out_types[0]));
  if (out_types.size() != 1 || (out_bytes > kSmallBytes && out_bytes > 2 * operand_bytes)) {
    return std::optional<Tensor>();
  }
  if (IsMatrixTranspose(node, *operands[0])) {
    Tensor y = TRY(Tensor::Allocate(out_types[0]));
    TransposeMatrix(*operands[0], &y);
    return std::optional<Tensor>(std::move(y));
  }
  std::optional<std::vector<Tensor>> folded = TRY(FoldNode(node, operands, out_types));
  if (!folded.has_value()) return std::optional<Tensor>();
  return std::optional<Tensor>(std::move(folded->front()));
}

}  // namespace soter
