#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/tensor/tensor.h"

namespace soter::conformance {

// ExpectClose compares y with the truth: floats by max |y - truth| / max |truth|, other types exactly.
inline void ExpectClose(const Tensor& y, const Tensor& truth, double bound) {
  ASSERT_EQ(TypeString(y.type()), TypeString(truth.type()));
  if (y.dtype() != DType::kFloat32) {
    EXPECT_TRUE(std::ranges::equal(y.bytes(), truth.bytes()));
    return;
  }
  double worst = 0, largest = 0;
  for (size_t i = 0; i < y.As<float>().size(); ++i) {
    double expected = static_cast<double>(truth.As<float>()[i]), got = static_cast<double>(y.As<float>()[i]);
    if (std::isnan(got) || std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(got) && std::isnan(expected)) << "at element " << i;
      continue;
    }
    worst = std::max(worst, std::fabs(got - expected));
    largest = std::max(largest, std::fabs(expected));
  }
  EXPECT_LE(worst, bound * std::max(largest, 1e-30)) << "largest element " << largest;
}

}  // namespace soter::conformance
