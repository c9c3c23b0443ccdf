#pragma once

#include <optional>
#include <string>

#include "common/compute/program.h"
#include "trusted/check/freivalds.h"

namespace soter::integrity {

// How x is distributed: Gaussian, Gaussian after a ReLU, or around a mean that does not vanish.
enum class Inputs : uint8_t { kGaussian, kRectified, kBiased };
inline constexpr const char* kInputNames[] = {"gaussian", "rectified", "biased"};

struct OperatorCase {
  std::string name;
  Op op;
  Shape x, weight;
};

OperatorCase ConvCase(int64_t in, int64_t out, int64_t kernel, int64_t size, int64_t stride = 1);
OperatorCase LinearCase(int64_t rows, int64_t in, int64_t out);

// HonestOperator is one linear operator with a bias, computed by the engine that also serves as the accelerator on a CPU,
// with the algorithm that it picks by measurement.
class HonestOperator {
 public:
  // dense: x and y lie densely; else in the layouts that the engine prefers, so that it takes the algorithm of a real run.
  HonestOperator(const OperatorCase& drawn, Inputs inputs, bool dense, RandomSource& random);

  // Fill draws another x and computes y.
  void Fill();

  Freivalds MakeCheck(RandomSource& random, int probes = kFreivaldsProbes) const;
  Result<Verified<PrivateTensor>> Check(Freivalds& check, FreivaldsScratch& scratch);

  RoundingFamily family() const { return FamilyOf(node_, wire::Arithmetic::kFloat32, control::WorkerKind::kCpu); }
  std::span<float> x() { return {reinterpret_cast<float*>(x_.bytes().data()), x_.size() / sizeof(float)}; }
  std::span<float> y() { return {reinterpret_cast<float*>(y_.bytes().data()), y_.size() / sizeof(float)}; }
  const TensorType& y_type() const { return y_type_; }

 private:
  OperatorCase case_;
  Inputs inputs_;
  RandomSource& random_;
  Tensor weight_, bias_;
  Node node_;
  TensorType x_type_, y_type_;
  Layout x_layout_ = Layout::kDense, y_layout_ = Layout::kDense;
  std::optional<Program> program_;
  Buffer x_, y_;
};

}  // namespace soter::integrity
