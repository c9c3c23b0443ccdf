#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"
#include "common/compute/simd.h"

// Linear: one row of x is a matrix-vector product, bound by the memory that holds the weights and done here;
// more rows go to oneDNN with packed weights.
namespace soter::compute {

namespace {

constexpr int64_t kLanes = 16;

// So many elements ahead weights are asked for. A processor's own prefetcher stops at the end of a page; 256 took the MLP from
// 0.23 to 0.20 ms, 1024 was no better (docs/benchmarks.md).
constexpr int64_t kAhead = 256;

// Prefetch asks for row[ahead], which need not exist.
inline void Prefetch(const float* row, int64_t ahead) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(row) + static_cast<uintptr_t>(ahead) * sizeof(float);
  __builtin_prefetch(reinterpret_cast<const void*>(address));
}

// DotRows computes y[i] = w[i] . x for `rows` rows of `k` elements, four rows at a time so that x is loaded once.
SOTER_SIMD_CLONES
void DotRows(const float* w, const float* x, int64_t rows, int64_t k, float* y) {
  for (int64_t i = 0; i < rows; i += 4) {
    const float* w0 = w + i * k;
    const float* w1 = w + std::min(i + 1, rows - 1) * k;
    const float* w2 = w + std::min(i + 2, rows - 1) * k;
    const float* w3 = w + std::min(i + 3, rows - 1) * k;
    float s0[kLanes] = {}, s1[kLanes] = {}, s2[kLanes] = {}, s3[kLanes] = {};
    int64_t j = 0;
    for (; j + kLanes <= k; j += kLanes) {
      // At the end of its row each goes on where the row four below begins.
      const int64_t ahead = j + kAhead < k ? j + kAhead : j + kAhead + 3 * k;
      for (const float* row : {w0, w1, w2, w3}) Prefetch(row, ahead);
#pragma omp simd
      for (int64_t l = 0; l < kLanes; ++l) {
        s0[l] += w0[j + l] * x[j + l];
        s1[l] += w1[j + l] * x[j + l];
        s2[l] += w2[j + l] * x[j + l];
        s3[l] += w3[j + l] * x[j + l];
      }
    }
    for (int64_t l = 0; j < k; ++j, ++l) {
      s0[l] += w0[j] * x[j];
      s1[l] += w1[j] * x[j];
      s2[l] += w2[j] * x[j];
      s3[l] += w3[j] * x[j];
    }
    float sums[4] = {};
    for (int64_t l = 0; l < kLanes; ++l) {
      sums[0] += s0[l];
      sums[1] += s1[l];
      sums[2] += s2[l];
      sums[3] += s3[l];
    }
    for (int64_t r = 0; r < std::min<int64_t>(4, rows - i); ++r) y[i + r] = sums[r];
  }
}

// VectorKernel is y = activation(W x + bias + residual) for one x. Inputs: x, weight, bias?, residual?.
struct VectorKernel {
  int64_t n, k;
  bool bias, residual, relu;

  void operator()(const Arguments& a) const {
    constexpr int64_t kSmall = 1 << 15;  // multiply-adds that one thread does sooner than two can start
#pragma omp parallel if (n * k > kSmall)
    {
      int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
      int64_t groups = (n + 3) / 4;
      int64_t begin = groups * thread / threads * 4, end = std::min(n, groups * (thread + 1) / threads * 4);
      if (begin < end) Rows(a, begin, end);
    }
  }

  void Rows(const Arguments& a, int64_t begin, int64_t end) const {
    const float* x = a.In<float>(0);
    const float* w = a.In<float>(1);
    const float* b = bias ? a.In<float>(2) : nullptr;
    const float* r = residual ? a.In<float>(bias ? 3 : 2) : nullptr;
    float* y = a.Out<float>(0);
    constexpr int64_t kBlock = 64;
    for (int64_t i = begin; i < end; i += kBlock) {
      int64_t rows = std::min(kBlock, end - i);
      float sums[kBlock];
      DotRows(w + i * k, x, rows, k, sums);
      for (int64_t j = 0; j < rows; ++j) {
        float sum = sums[j] + (b ? b[i + j] : 0.0f) + (r ? r[i + j] : 0.0f);
        y[i + j] = relu ? std::max(sum, 0.0f) : sum;
      }
    }
  }
};

Status LowerVector(const UnitContext& u, int64_t n, int64_t k) {
  // The kernel reads the weight as it comes: a second copy of a large one would be the peak of a load.
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1)))};
  if (u.Has(2)) inputs.push_back(TRY(u.builder.Read(u.In(2))));
  if (u.unit.residual != kNoValue) inputs.push_back(TRY(u.builder.Read(u.unit.residual)));
  VectorKernel kernel{n, k, u.Has(2), u.unit.residual != kNoValue, u.relu()};
  return u.builder.Emit(MakeKernel(kernel), std::move(inputs), {{u.Out()}});
}

Status LowerMatrix(const UnitContext& u, int64_t m, int64_t n, int64_t k) {
  using Forward = dnnl::inner_product_forward;
  dnnl::memory::desc x = DescOf({DType::kFloat32, {m, k}}, Layout::kDense);
  dnnl::memory::desc y = DescOf({DType::kFloat32, {m, n}}, Layout::kDense);
  dnnl::memory::desc bias = u.Has(2) ? DescOf(u.InType(2), Layout::kDense) : dnnl::memory::desc();
  dnnl::primitive_attr attributes = UserScratch();
  dnnl::post_ops ops;
  if (u.unit.residual != kNoValue) ops.append_sum(1.0f);
  if (u.relu()) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  attributes.set_post_ops(ops);
  Forward::desc desc(dnnl::prop_kind::forward_inference, x, AnyDesc({n, k}), bias, y);
  Forward::primitive_desc primitive(desc, attributes, Engine());

  std::shared_ptr<const Tensor> weight = TRY(u.builder.Fetch(u.In(1)));
  BufferId packed = TRY(Pack(u.builder, *weight, DescOf(u.InType(1), Layout::kDense), primitive.weights_desc()));
  weight.reset();
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), packed};
  std::vector<Slot> slots = {{DNNL_ARG_SRC, Slot::From::kInput, 0, x},
                             {DNNL_ARG_WEIGHTS, Slot::From::kInput, 1, primitive.weights_desc()},
                             {DNNL_ARG_DST, Slot::From::kOutput, 0, y}};
  if (u.Has(2)) {
    slots.push_back({DNNL_ARG_BIAS, Slot::From::kInput, 2, bias});
    inputs.push_back(TRY(u.builder.Read(u.In(2))));
  }
  StepOptions options{.scratch_bytes = AddScratch(primitive, slots)};
  if (u.unit.residual != kNoValue) {
    options.take_over = static_cast<uint32_t>(inputs.size());
    inputs.push_back(TRY(u.builder.Read(u.unit.residual)));
  }
  auto kernel = std::make_unique<OnednnKernel>(Forward(primitive), std::move(slots), options.take_over);
  return u.builder.Emit(std::move(kernel), std::move(inputs), {{u.Out()}}, options);
}

}  // namespace

Status Lower(const UnitContext& u, const Linear&) {
  TRY(RequireFloat(u.InType(0)));
  int64_t n = u.InShape(1)[0], k = u.InShape(1)[1];
  int64_t m = Product(u.OutShape()) / n;
  return m == 1 ? LowerVector(u, n, k) : LowerMatrix(u, m, n, k);
}

}  // namespace soter::compute
