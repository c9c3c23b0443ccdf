#pragma once

#include <algorithm>
#include <random>

#include "audit/linear/decompose.h"

namespace soter::audit {

// Draw gives random matrices, the same for the same seed.
class Draw {
 public:
  explicit Draw(uint64_t seed) : generator_(seed) {}

  Matrix Gaussian(size_t rows, size_t columns, double deviation = 1) {
    std::normal_distribution<double> normal(0, deviation);
    Matrix matrix(rows, columns);
    for (double& value : matrix.values()) value = normal(generator_);
    return matrix;
  }
  Matrix Orthogonal(size_t size) { return OrthonormalBasis(Gaussian(size, size)); }
  double Uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(generator_); }
  std::vector<size_t> Permutation(size_t size) {
    std::vector<size_t> order(size);
    for (size_t i = 0; i < size; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), generator_);
    return order;
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace soter::audit
