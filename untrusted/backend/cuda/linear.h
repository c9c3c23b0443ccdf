#pragma once

#include "untrusted/backend/cuda/gemm_plan.h"
#include "untrusted/backend/cuda/step.h"

// Steps of the linear operators, on cuDNN and cuBLASLt. Which algorithm they use is measured when they are prepared,
// once for each description of shapes.
namespace soter::cuda {

// LinearTerms says what a linear operator adds to its product before its activation.
struct LinearTerms {
  bool bias = false, residual = false, relu = false;
};

// GemmShape: y = activation(alpha a b + bias + residual). Operands of `arithmetic`: float16 for kFloat16, float64
// for kFloat64, else float32; y, bias and residual are float32 (float64 for kFloat64, which takes no terms).
struct GemmShape {
  GemmPlan plan;
  wire::Arithmetic arithmetic = wire::Arithmetic::kFloat32;
  LinearTerms terms;
  float alpha = 1.0f;
};
// MakeGemmStep takes a, b, then bias [columns] and residual (shape of y) where there are any.
std::unique_ptr<Step> MakeGemmStep(GemmShape shape);

// ConvShape has symmetric pads. Operands and y are float32, or all float16 or float64: then without terms.
struct ConvShape {
  Shape x, weight, y;
  Window window;
  int64_t groups = 1;
  wire::Arithmetic arithmetic = wire::Arithmetic::kFloat32;
  LinearTerms terms;
};
// MakeConvStep takes x, weight, then bias [m] and residual where there are any.
std::unique_ptr<Step> MakeConvStep(ConvShape shape);
// MakeConvTransposeStep likewise, for weight [c, m / groups, kernel...].
std::unique_ptr<Step> MakeConvTransposeStep(ConvShape shape);

// DescriptionOf names a measurement: equal descriptions have equal fastest algorithms.
std::string DescriptionOf(const ConvShape& shape);
std::string DescriptionOf(const GemmShape& shape);

// WithPlaneAxes gives a convolution along one axis a second one of extent 1, since cuDNN knows two and three.
ConvShape WithPlaneAxes(ConvShape shape);

// TransposePadsFit tells whether the convolution that undoes a transposed one reaches y from x with the same padding
// at both ends: cuDNN knows no other.
bool TransposePadsFit(const ConvShape& shape);

}  // namespace soter::cuda
