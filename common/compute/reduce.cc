#include <algorithm>
#include <cmath>
#include <limits>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/strided.h"

// Reduce: every output element folds the elements of a strided walk, in double precision (int64 for integers).
namespace soter::compute {

namespace {

// ReducePlan separates the axes that stay from those that are folded; both are collapsed walks of the input.
struct ReducePlan {
  Strided kept, folded;
};

template <typename F>
void ForEachFolded(const Strided& walk, int64_t base, F f) {
  int64_t columns = walk.extents.back(), stride = walk.strides[0].back();
  int64_t rows = Product(walk.extents) / std::max<int64_t>(columns, 1);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t at = base + RowOffsets<1>(walk, 1, row)[0];
    for (int64_t j = 0; j < columns; ++j) f(at + j * stride);
  }
}

template <typename T, typename A>
A Fold(ReduceKind kind, const T* x, const Strided& walk, int64_t base) {
  A sum = 0;
  switch (kind) {
    case ReduceKind::kSum: case ReduceKind::kMean: case ReduceKind::kLogSum:
      ForEachFolded(walk, base, [&](int64_t i) { sum += static_cast<A>(x[i]); });
      break;
    case ReduceKind::kProd:
      sum = 1;
      ForEachFolded(walk, base, [&](int64_t i) { sum *= static_cast<A>(x[i]); });
      break;
    case ReduceKind::kL1:
      ForEachFolded(walk, base, [&](int64_t i) { sum += x[i] < 0 ? -static_cast<A>(x[i]) : static_cast<A>(x[i]); });
      break;
    case ReduceKind::kL2: case ReduceKind::kSumSquare:
      ForEachFolded(walk, base, [&](int64_t i) { sum += static_cast<A>(x[i]) * static_cast<A>(x[i]); });
      break;
    case ReduceKind::kMax: case ReduceKind::kLogSumExp: {
      T most = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                    : std::numeric_limits<T>::lowest();
      ForEachFolded(walk, base, [&](int64_t i) { most = most < x[i] || x[i] != x[i] ? x[i] : most; });
      return static_cast<A>(most);
    }
    default: {  // kMin
      T least =
          std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
      ForEachFolded(walk, base, [&](int64_t i) { least = x[i] < least || x[i] != x[i] ? x[i] : least; });
      return static_cast<A>(least);
    }
  }
  return sum;
}

double Finish(ReduceKind kind, double folded, int64_t count) {
  switch (kind) {
    case ReduceKind::kMean: return folded / static_cast<double>(count);
    case ReduceKind::kL2: return std::sqrt(folded);
    case ReduceKind::kLogSum: return std::log(folded);
    default: return folded;
  }
}

double LogSumExp(const float* x, const Strided& walk, int64_t base, double most) {
  if (std::isinf(most)) return most;
  double sum = 0;
  ForEachFolded(walk, base, [&](int64_t i) { sum += std::exp(static_cast<double>(x[i]) - most); });
  return most + std::log(sum);
}

std::unique_ptr<Kernel> FloatKernel(const ReducePlan& plan, ReduceKind kind) {
  return MakeKernel([plan, kind](const Arguments& a) {
    const float* x = a.In<float>(0);
    int64_t outputs = Product(plan.kept.extents), count = Product(plan.folded.extents);
#pragma omp parallel for schedule(static) if (outputs > 1 && outputs * count > (1 << 12))
    for (int64_t o = 0; o < outputs; ++o) {
      int64_t base = RowOffsets<1>(plan.kept, 0, o)[0];
      double folded = Fold<float, double>(kind, x, plan.folded, base);
      if (kind == ReduceKind::kLogSumExp) folded = LogSumExp(x, plan.folded, base, folded);
      a.Out<float>(0)[o] = static_cast<float>(Finish(kind, folded, count));
    }
  });
}

template <typename T>
std::unique_ptr<Kernel> IntegerKernel(const ReducePlan& plan, ReduceKind kind) {
  return MakeKernel([plan, kind](const Arguments& a) {
    int64_t outputs = Product(plan.kept.extents), count = std::max<int64_t>(Product(plan.folded.extents), 1);
    for (int64_t o = 0; o < outputs; ++o) {
      int64_t folded = Fold<T, int64_t>(kind, a.In<T>(0), plan.folded, RowOffsets<1>(plan.kept, 0, o)[0]);
      a.Out<T>(0)[o] = static_cast<T>(kind == ReduceKind::kMean ? folded / count : folded);
    }
  });
}

template <typename T>
std::unique_ptr<Kernel> ArgKernel(const ReducePlan& plan, bool greatest, bool last) {
  return MakeKernel([=](const Arguments& a) {
    const T* x = a.In<T>(0);
    int64_t outputs = Product(plan.kept.extents), count = Product(plan.folded.extents);
    for (int64_t o = 0; o < outputs; ++o) {
      int64_t base = RowOffsets<1>(plan.kept, 0, o)[0], stride = plan.folded.strides[0].back(), best = 0;
      for (int64_t i = 1; i < count; ++i) {
        T candidate = x[base + i * stride], champion = x[base + best * stride];
        bool better = greatest ? champion < candidate : candidate < champion;
        if (better || (last && candidate == champion)) best = i;
      }
      a.Out<int64_t>(0)[o] = best;
    }
  });
}

// FoldedAxes tells, of every axis, whether it is folded.
Result<std::vector<bool>> FoldedAxes(const UnitContext& u, const Reduce& op) {
  size_t rank = u.InShape(0).size();
  std::vector<bool> folded(rank, false);
  if (op.spatial) {
    std::fill(folded.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(rank)), folded.end(), true);
    return folded;
  }
  std::vector<int64_t> axes;
  if (u.Has(1)) axes = TRY(u.builder.Integers(u.In(1)));
  for (int64_t axis : axes) folded[NormalAxis(axis, rank)] = true;
  if (axes.empty() && !op.empty_axes_is_noop) folded.assign(rank, true);
  return folded;
}

ReducePlan PlanReduce(const Shape& shape, const Shape& strides, const std::vector<bool>& folded) {
  ReducePlan plan;
  plan.kept.strides.resize(1);
  plan.folded.strides.resize(1);
  plan.kept.offsets = plan.folded.offsets = {0};
  for (size_t d = 0; d < shape.size(); ++d) {
    Strided& walk = folded[d] ? plan.folded : plan.kept;
    walk.extents.push_back(shape[d]);
    walk.strides[0].push_back(strides[d]);
  }
  return {Collapse(plan.kept), Collapse(plan.folded)};
}

// IsSpatialMean: the global average pool, which keeps the layout of a convolution's result.
bool IsSpatialMean(const UnitContext& u, const Reduce& op, const std::vector<bool>& folded) {
  if (op.kind != ReduceKind::kMean || u.InType(0).dtype != DType::kFloat32 || folded.size() < 3 || folded.size() > 5)
    return false;
  for (size_t d = 0; d < folded.size(); ++d) {
    if (folded[d] != (d >= 2)) return false;
  }
  Layout layout = u.builder.LayoutOf(u.In(0));
  return layout != Layout::kDense && !HasPadding(u.InShape(0), layout);
}

// SpatialMean averages [outer, positions, lanes] over positions; the result is dense in any of our layouts.
std::unique_ptr<Kernel> SpatialMean(int64_t outer, int64_t positions, int64_t lanes) {
  return MakeKernel([=](const Arguments& a) {
    constexpr int64_t kBlock = 16;
    int64_t blocks = (lanes + kBlock - 1) / kBlock;
#pragma omp parallel for schedule(static) collapse(2) if (outer * positions * lanes > (1 << 12))
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t b = 0; b < blocks; ++b) {
        const float* x = a.In<float>(0) + o * positions * lanes + b * kBlock;
        int64_t width = std::min(kBlock, lanes - b * kBlock);
        double sums[kBlock] = {};
        for (int64_t p = 0; p < positions; ++p) {
          for (int64_t l = 0; l < width; ++l) sums[l] += static_cast<double>(x[p * lanes + l]);
        }
        for (int64_t l = 0; l < width; ++l)
          a.Out<float>(0)[o * lanes + b * kBlock + l] = static_cast<float>(sums[l] / static_cast<double>(positions));
      }
    }
  });
}

Status LowerSpatialMean(const UnitContext& u) {
  const Shape& shape = u.InShape(0);
  Layout layout = u.builder.LayoutOf(u.In(0));
  bool blocked = layout == Layout::kNChw16c;
  int64_t lanes = blocked ? kChannelBlock : shape[1],
          outer = blocked ? shape[0] * shape[1] / kChannelBlock : shape[0];
  BufferId input = TRY(u.builder.Read(u.In(0), layout));
  return u.builder.Emit(SpatialMean(outer, Product(shape, 2, shape.size()), lanes), {input}, {{u.Out()}});
}

std::unique_ptr<Kernel> MakeReduce(const Reduce& op, DType dtype, const ReducePlan& plan) {
  if (op.kind == ReduceKind::kArgMax || op.kind == ReduceKind::kArgMin) {
    bool greatest = op.kind == ReduceKind::kArgMax;
    if (dtype == DType::kFloat32) return ArgKernel<float>(plan, greatest, op.select_last);
    if (dtype == DType::kInt64) return ArgKernel<int64_t>(plan, greatest, op.select_last);
    if (dtype == DType::kInt32) return ArgKernel<int32_t>(plan, greatest, op.select_last);
    return nullptr;
  }
  if (dtype == DType::kFloat32) return FloatKernel(plan, op.kind);
  if (op.kind == ReduceKind::kL2 || op.kind == ReduceKind::kLogSum || op.kind == ReduceKind::kLogSumExp)
    return nullptr;
  if (dtype == DType::kInt64) return IntegerKernel<int64_t>(plan, op.kind);
  if (dtype == DType::kInt32) return IntegerKernel<int32_t>(plan, op.kind);
  return nullptr;
}

}  // namespace

Status Lower(const UnitContext& u, const Reduce& op) {
  std::vector<bool> folded = TRY(FoldedAxes(u, op));
  if (IsSpatialMean(u, op, folded)) return LowerSpatialMean(u);
  const Shape& shape = u.InShape(0);
  std::unique_ptr<Kernel> kernel = MakeReduce(op, u.InType(0).dtype, PlanReduce(shape, DenseStrides(shape), folded));
  if (kernel == nullptr) return Unsupported(std::string("type ") + DTypeName(u.InType(0).dtype));
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

}  // namespace soter::compute
