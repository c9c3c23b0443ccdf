#include <array>
#include <optional>

#include "common/compute/layout.h"
#include "untrusted/backend/cuda/conv_descriptors.h"
#include "untrusted/backend/cuda/kernels/elementwise.h"

// Convolutions on cuDNN. Its own search proposes algorithms; each of the best is then timed with everything that
// follows it, fused by cuDNN or by a kernel of ours, since fusing restricts the choice of algorithm.
namespace soter::cuda {

namespace {

constexpr size_t kTimed = 3;  // of the proposals

// UsesFft: transforms cost accuracy that true float32 promises, and more workspace than anything else.
bool UsesFft(cudnnConvolutionFwdAlgo_t a) {
  return a == CUDNN_CONVOLUTION_FWD_ALGO_FFT || a == CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING;
}
bool UsesFft(cudnnConvolutionBwdDataAlgo_t a) {
  return a == CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT || a == CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING;
}

// ConvStep is a convolution or, for Direction = Backward, a transposed one; Direction finds and launches the product.
template <typename Direction>
class ConvStep final : public Step {
 public:
  explicit ConvStep(ConvShape shape) : shape_(WithPlaneAxes(std::move(shape))) {}

  Result<size_t> Prepare(Device& device, const Arguments& a) override {
    device_ = &device;
    described_ = TRY(Describe(shape_));
    auto [choice, fresh] = device.conv_choices().try_emplace(Direction::kName + DescriptionOf(shape_));
    if (fresh) {
      Result<ConvChoice> found = Fastest(a);
      if (!found.ok()) {
        device.conv_choices().erase(choice);
        return found.error();
      }
      choice->second = *found;
    }
    choice_ = choice->second;
    return choice_.workspace_bytes;
  }

  Status Launch(const Arguments& a) override { return LaunchWith(a, choice_); }

 private:
  using Algorithm = typename Direction::Algorithm;

  bool CanFuse() const { return Direction::kFuses && shape_.terms.bias && shape_.terms.relu; }

  Result<ConvChoice> Fastest(const Arguments& a) {
    std::array<typename Direction::Proposal, Direction::kMost> proposals{};
    int count = 0;
    TRY(Direction::Find(device_->cudnn(), described_, a, proposals.data(), &count));
    std::optional<ConvChoice> best;
    float best_ms = 0;
    size_t timed = 0;
    for (const auto& proposal : std::span(proposals).first(static_cast<size_t>(count))) {
      if (proposal.status != CUDNN_STATUS_SUCCESS || UsesFft(proposal.algo) || timed == kTimed) continue;
      size_t bytes = 0;
      if (Direction::Workspace(device_->cudnn(), described_, proposal.algo, &bytes) != CUDNN_STATUS_SUCCESS) continue;
      if (bytes > a.workspace_bytes) continue;
      ++timed;
      for (bool fused : {false, true}) {
        if (fused && !CanFuse()) continue;
        ConvChoice choice{static_cast<int>(proposal.algo), fused, bytes};
        Result<float> ms = BestMilliseconds(*device_, [&] { return LaunchWith(a, choice); });
        if (!ms.ok() && IsLost()) return ms.error();
        if (!ms.ok() || (best && *ms >= best_ms)) continue;  // not every algorithm can be fused
        best = choice;
        best_ms = *ms;
      }
    }
    if (!best) return Unsupported("cuDNN has no algorithm for this convolution");
    return *best;
  }

  Status LaunchWith(const Arguments& a, const ConvChoice& choice) {
    if (choice.fused) return LaunchFused(a, choice);
    TRY(CudnnStatus(Direction::Compute(device_->cudnn(), described_, shape_.arithmetic, a,
                                       static_cast<Algorithm>(choice.algorithm), choice.workspace_bytes),
                    "launch a convolution"));
    const LinearTerms& terms = shape_.terms;
    if (!terms.bias && !terms.residual && !terms.relu) return {};
    Epilogue epilogue{.count = compute::Product(shape_.y),
                      .channels = shape_.y[1],
                      .plane = compute::Product(shape_.y, 2, shape_.y.size()),
                      .relu = terms.relu};
    const float* bias = terms.bias ? a.In<float>(2) : nullptr;
    const float* residual = terms.residual ? static_cast<const float*>(a.inputs.back()) : nullptr;
    return CudaStatus(LaunchEpilogue(a.stream, epilogue, a.outputs[0], bias, residual, a.Out<float>(0)),
                      "launch a kernel");
  }

  Status LaunchFused(const Arguments& a, const ConvChoice& choice) {
    bool residual = shape_.terms.residual;
    const ConvDescriptors& d = described_;
    return CudnnStatus(
        cudnnConvolutionBiasActivationForward(
            device_->cudnn(), One(shape_.arithmetic), d.x.get(), a.inputs[0], d.weight.get(), a.inputs[1],
            d.window.get(), static_cast<cudnnConvolutionFwdAlgo_t>(choice.algorithm), a.workspace,
            choice.workspace_bytes, residual ? One(shape_.arithmetic) : Zero(shape_.arithmetic), d.y.get(),
            residual ? a.inputs.back() : a.outputs[0], d.bias.get(), a.inputs[2], d.relu.get(), d.y.get(),
            a.outputs[0]),
        "launch a fused convolution");
  }

  ConvShape shape_;
  Device* device_ = nullptr;
  ConvDescriptors described_;
  ConvChoice choice_{};
};

struct Forward {
  using Algorithm = cudnnConvolutionFwdAlgo_t;
  using Proposal = cudnnConvolutionFwdAlgoPerf_t;
  static constexpr const char* kName = "conv";
  static constexpr bool kFuses = true;
  static constexpr size_t kMost = CUDNN_CONVOLUTION_FWD_ALGO_COUNT;

  static Status Find(cudnnHandle_t cudnn, const ConvDescriptors& d, const Arguments& a, Proposal* out, int* count) {
    return CudnnStatus(cudnnFindConvolutionForwardAlgorithmEx(
                           cudnn, d.x.get(), a.inputs[0], d.weight.get(), a.inputs[1], d.window.get(), d.y.get(),
                           a.outputs[0], static_cast<int>(kMost), count, out, a.workspace, a.workspace_bytes),
                       "find an algorithm for a convolution");
  }
  static cudnnStatus_t Workspace(cudnnHandle_t cudnn, const ConvDescriptors& d, Algorithm algorithm, size_t* bytes) {
    return cudnnGetConvolutionForwardWorkspaceSize(cudnn, d.x.get(), d.weight.get(), d.window.get(), d.y.get(),
                                                   algorithm, bytes);
  }
  static cudnnStatus_t Compute(cudnnHandle_t cudnn, const ConvDescriptors& d, wire::Arithmetic arithmetic,
                               const Arguments& a, Algorithm algorithm, size_t workspace_bytes) {
    return cudnnConvolutionForward(cudnn, One(arithmetic), d.x.get(), a.inputs[0], d.weight.get(), a.inputs[1],
                                   d.window.get(), algorithm, a.workspace, workspace_bytes, Zero(arithmetic),
                                   d.y.get(), a.outputs[0]);
  }
};

// Backward: a transposed convolution is the derivative of the convolution from its y to its x by its input.
struct Backward {
  using Algorithm = cudnnConvolutionBwdDataAlgo_t;
  using Proposal = cudnnConvolutionBwdDataAlgoPerf_t;
  static constexpr const char* kName = "transpose";
  static constexpr bool kFuses = false;
  static constexpr size_t kMost = CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT;

  static Status Find(cudnnHandle_t cudnn, const ConvDescriptors& d, const Arguments& a, Proposal* out, int* count) {
    return CudnnStatus(cudnnFindConvolutionBackwardDataAlgorithmEx(
                           cudnn, d.weight.get(), a.inputs[1], d.x.get(), a.inputs[0], d.window.get(), d.y.get(),
                           a.outputs[0], static_cast<int>(kMost), count, out, a.workspace, a.workspace_bytes),
                       "find an algorithm for a transposed convolution");
  }
  static cudnnStatus_t Workspace(cudnnHandle_t cudnn, const ConvDescriptors& d, Algorithm algorithm, size_t* bytes) {
    return cudnnGetConvolutionBackwardDataWorkspaceSize(cudnn, d.weight.get(), d.x.get(), d.window.get(), d.y.get(),
                                                        algorithm, bytes);
  }
  static cudnnStatus_t Compute(cudnnHandle_t cudnn, const ConvDescriptors& d, wire::Arithmetic arithmetic,
                               const Arguments& a, Algorithm algorithm, size_t workspace_bytes) {
    return cudnnConvolutionBackwardData(cudnn, One(arithmetic), d.weight.get(), a.inputs[1], d.x.get(), a.inputs[0],
                                        d.window.get(), algorithm, a.workspace, workspace_bytes, Zero(arithmetic),
                                        d.y.get(), a.outputs[0]);
  }
};

}  // namespace

std::unique_ptr<Step> MakeConvStep(ConvShape shape) { return std::make_unique<ConvStep<Forward>>(std::move(shape)); }

std::unique_ptr<Step> MakeConvTransposeStep(ConvShape shape) {
  return std::make_unique<ConvStep<Backward>>(std::move(shape));
}

}  // namespace soter::cuda
