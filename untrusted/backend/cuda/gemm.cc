#include <array>
#include <optional>

#include "untrusted/backend/cuda/linear.h"

// Matrix products on cuBLASLt. It thinks in columns: a row-major [rows, columns] matrix is its [columns, rows] one, so
// y = a b is computed as y^T = b^T a^T, with b as its first operand and a as its second, and nothing is transposed
// in memory. Its bias runs along its rows, which are our columns, as Linear wants it.
namespace soter::cuda {

namespace {

using MatrixLayout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using Operation = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

constexpr int kCandidates = 8;

struct Types {
  cublasComputeType_t compute;
  cudaDataType_t scale, operand, result;
};

Types TypesOf(wire::Arithmetic arithmetic) {
  switch (arithmetic) {
    case wire::Arithmetic::kTf32: return {CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F, CUDA_R_32F, CUDA_R_32F};
    case wire::Arithmetic::kFloat16: return {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16F, CUDA_R_32F};
    case wire::Arithmetic::kFloat64: return {CUBLAS_COMPUTE_64F, CUDA_R_64F, CUDA_R_64F, CUDA_R_64F};
    default: return {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_32F, CUDA_R_32F};
  }
}

int64_t BytesOf(cudaDataType_t type) { return type == CUDA_R_16F ? 2 : type == CUDA_R_32F ? 4 : 8; }

// MakeLayout describes a row-major [rows, columns] matrix, and those that follow it in a batch.
Result<MatrixLayout> MakeLayout(cudaDataType_t type, int64_t rows, int64_t columns, int64_t batch, int64_t stride) {
  cublasLtMatrixLayout_t raw = nullptr;
  TRY(CublasStatus(cublasLtMatrixLayoutCreate(&raw, type, static_cast<uint64_t>(columns),
                                              static_cast<uint64_t>(rows), columns),
                   "describe a matrix"));
  MatrixLayout layout(raw);
  int32_t count = static_cast<int32_t>(batch);
  TRY(CublasStatus(cublasLtMatrixLayoutSetAttribute(raw, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)),
                   "describe a batch"));
  TRY(CublasStatus(
      cublasLtMatrixLayoutSetAttribute(raw, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof(stride)),
      "describe a batch"));
  return layout;
}

template <typename T>
Status Set(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  return CublasStatus(cublasLtMatmulDescSetAttribute(desc, attribute, &value, sizeof(value)), "describe a product");
}

template <typename T>
Status Set(cublasLtMatmulPreference_t desc, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  return CublasStatus(cublasLtMatmulPreferenceSetAttribute(desc, attribute, &value, sizeof(value)),
                      "describe a product");
}

cublasLtEpilogue_t EpilogueOf(const LinearTerms& terms) {
  if (terms.bias) return terms.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  return terms.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

// Scalar is alpha or beta in the type that the library reads.
struct Scalar {
  float single;
  double wide;
  const void* As(cudaDataType_t type) const {
    return type == CUDA_R_64F ? static_cast<const void*>(&wide) : static_cast<const void*>(&single);
  }
};
Scalar MakeScalar(float value) { return {value, static_cast<double>(value)}; }

class GemmStep final : public Step {
 public:
  explicit GemmStep(GemmShape shape) : shape_(std::move(shape)), types_(TypesOf(shape_.arithmetic)) {}

  Result<size_t> Prepare(Device& device, const Arguments& a) override {
    device_ = &device;
    TRY(Describe(a));
    auto [choice, fresh] = device.matmul_choices().try_emplace(DescriptionOf(shape_));
    if (fresh) {
      Result<MatMulChoice> found = Fastest(a);
      if (!found.ok()) {
        device.matmul_choices().erase(choice);
        return found.error();
      }
      choice->second = *found;
    }
    choice_ = choice->second;
    return choice_.workspace_bytes;
  }

  Status Launch(const Arguments& a) override { return LaunchWith(a, choice_.algorithm); }

 private:
  Status Describe(const Arguments& a) {
    const GemmPlan& p = shape_.plan;
    cublasLtMatmulDesc_t raw = nullptr;
    TRY(CublasStatus(cublasLtMatmulDescCreate(&raw, types_.compute, types_.scale), "describe a product"));
    operation_.reset(raw);
    TRY(Set(raw, CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N));
    TRY(Set(raw, CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N));
    TRY(Set(raw, CUBLASLT_MATMUL_DESC_EPILOGUE, EpilogueOf(shape_.terms)));
    if (shape_.terms.bias) TRY(Set(raw, CUBLASLT_MATMUL_DESC_BIAS_POINTER, a.inputs[2]));
    Shape stored_a = p.transpose_a ? Shape{p.depth, p.rows} : Shape{p.rows, p.depth};
    Shape stored_b = p.transpose_b ? Shape{p.columns, p.depth} : Shape{p.depth, p.columns};
    a_ = TRY(MakeLayout(types_.operand, stored_a[0], stored_a[1], p.batch, p.stride_a));
    b_ = TRY(MakeLayout(types_.operand, stored_b[0], stored_b[1], p.batch, p.stride_b));
    y_ = TRY(MakeLayout(types_.result, p.rows, p.columns, p.batch, p.stride_y));
    return {};
  }

  // Alignment of an operand's matrices; `offset` names the operand in a launch.
  uint32_t Alignment(int64_t stride, int64_t GemmPlan::Offset::*offset, cudaDataType_t type) const {
    std::vector<int64_t> offsets;
    for (const GemmPlan::Offset& at : shape_.plan.launches) offsets.push_back(at.*offset * BytesOf(type));
    return AlignmentOf(stride * BytesOf(type), offsets);
  }

  Result<Preference> Prefer(size_t workspace_bytes) const {
    cublasLtMatmulPreference_t raw = nullptr;
    TRY(CublasStatus(cublasLtMatmulPreferenceCreate(&raw), "describe a product"));
    Preference preference(raw);
    const GemmPlan& p = shape_.plan;
    uint32_t b = Alignment(p.stride_b, &GemmPlan::Offset::b, types_.operand);
    uint32_t a = Alignment(p.stride_a, &GemmPlan::Offset::a, types_.operand);
    uint32_t y = Alignment(p.stride_y, &GemmPlan::Offset::y, types_.result);
    TRY(Set(raw, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_bytes));
    TRY(Set(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, b));
    TRY(Set(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, a));
    TRY(Set(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, y));
    TRY(Set(raw, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, y));
    return preference;
  }

  // Fastest measures what the library's heuristic proposes.
  Result<MatMulChoice> Fastest(const Arguments& a) {
    Preference preference = TRY(Prefer(a.workspace_bytes));
    std::array<cublasLtMatmulHeuristicResult_t, kCandidates> proposed{};
    int count = 0;
    TRY(CublasStatus(cublasLtMatmulAlgoGetHeuristic(device_->cublas(), operation_.get(), b_.get(), a_.get(), y_.get(),
                                                    y_.get(), preference.get(), kCandidates, proposed.data(), &count),
                     "find an algorithm for a matrix product"));
    std::optional<MatMulChoice> best;
    float best_ms = 0;
    for (const auto& candidate : std::span(proposed).first(static_cast<size_t>(count))) {
      if (candidate.state != CUBLAS_STATUS_SUCCESS) continue;
      Result<float> ms = BestMilliseconds(*device_, [&] { return LaunchWith(a, candidate.algo); });
      if (!ms.ok() && IsLost()) return ms.error();
      if (!ms.ok() || (best && *ms >= best_ms)) continue;
      best = MatMulChoice{candidate.algo, candidate.workspaceSize};
      best_ms = *ms;
    }
    if (!best) return Unsupported("cuBLASLt has no algorithm for this product");
    return *best;
  }

  Status LaunchWith(const Arguments& arguments, const cublasLtMatmulAlgo_t& algorithm) {
    Scalar alpha = MakeScalar(shape_.alpha), beta = MakeScalar(shape_.terms.residual ? 1.0f : 0.0f);
    int64_t operand_bytes = BytesOf(types_.operand), result_bytes = BytesOf(types_.result);
    for (const GemmPlan::Offset& at : shape_.plan.launches) {
      const std::byte* a = arguments.In<std::byte>(0) + at.a * operand_bytes;
      const std::byte* b = arguments.In<std::byte>(1) + at.b * operand_bytes;
      std::byte* y = arguments.Out<std::byte>(0) + at.y * result_bytes;
      const void* residual = shape_.terms.residual ? arguments.inputs.back() : y;  // a product with terms has no offsets
      TRY(CublasStatus(cublasLtMatmul(device_->cublas(), operation_.get(), alpha.As(types_.scale), b, b_.get(), a,
                                      a_.get(), beta.As(types_.scale), residual, y_.get(), y, y_.get(), &algorithm,
                                      arguments.workspace, arguments.workspace_bytes, arguments.stream),
                       "launch a matrix product"));
    }
    return {};
  }

  GemmShape shape_;
  Types types_;
  Device* device_ = nullptr;
  Operation operation_;
  MatrixLayout a_, b_, y_;
  MatMulChoice choice_{};
};

}  // namespace

std::unique_ptr<Step> MakeGemmStep(GemmShape shape) { return std::make_unique<GemmStep>(std::move(shape)); }

}  // namespace soter::cuda
