#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/in_process_accelerator.h"
#include "trusted/engine/session.h"
#include "trusted/testing/networks.h"

namespace soter {

inline Tensor RandomBatch(int64_t batch, uint64_t seed) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, {batch, 3, 12, 12}}).value();
  auto random = MakeSeededRandom(seed);
  for (float& value : tensor.MutableAs<float>()) value = static_cast<float>(random->NextGaussian());
  return tensor;
}

inline control::Settings SettingsFor(Scheme scheme, double theta, Check check) {
  control::Settings settings{.scheme = scheme, .theta = theta, .check = check, .threads = 1};
  settings.fingerprint_rate = 1.0;
  settings.cornerstones = 3;
  return settings;
}

// A session together with what its accelerator was given.
class Harness {
 public:
  Harness(control::Settings settings, ValidatedGraph model = testing::SmallCnn())
      : session_(Session::Create(std::move(model), std::move(settings),
                                 [this]() -> Result<std::unique_ptr<Accelerator>> {
                                   return std::unique_ptr<Accelerator>(std::make_unique<InProcessAccelerator>(record_));
                                 }).value()) {}

  Result<control::RunReport> Run(Tensor input, uint32_t repeat = 1) {
    control::RunRequest request;
    request.inputs.push_back(std::move(input));
    request.repeat = repeat;
    return session_->Run(request);
  }

  InProcessAccelerator::Record record_;
  std::unique_ptr<Session> session_;
};

inline std::vector<float> OutputOf(const Result<control::RunReport>& report) {
  EXPECT_TRUE(report.ok()) << report.error().message;
  std::span<const float> values = report->outputs.at(0).tensor.As<float>();
  return {values.begin(), values.end()};
}

inline double RelativeError(const std::vector<float>& got, const std::vector<float>& want) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    largest = std::max(largest, std::abs(double{want[i]}));
    difference = std::max(difference, std::abs(double{got[i]} - want[i]));
  }
  return difference / largest;
}

}  // namespace soter
