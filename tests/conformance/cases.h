#pragma once

#include <random>
#include <string>
#include <vector>

#include "common/graph/graph.h"

namespace soter::conformance {

// Case is a small graph with data for its inputs; every backend must agree with the reference on it.
struct Case {
  std::string name;
  Graph graph;
  std::vector<Tensor> inputs;
};

// Generator makes tensors of random elements, repeatable by its seed.
class Generator {
 public:
  explicit Generator(uint64_t seed) : engine_(seed) {}

  Tensor Floats(const Shape& shape, float low = -1.0f, float high = 1.0f);
  Tensor Int64s(const Shape& shape, int64_t low, int64_t high);
  Tensor Int32s(const Shape& shape, int32_t low, int32_t high);
  Tensor Bools(const Shape& shape);

 private:
  std::mt19937_64 engine_;
};

// AllCases lists one or more cases for every operator, in odd shapes; the same seed gives the same data.
std::vector<Case> AllCases(uint64_t seed);

// LinearCases: Conv, ConvTranspose, Linear, MatMul.   MathCases: elementwise, reductions, normalisations.
// MoveCases: operators that move elements.   SelectCases: CumSum, TopK, GatherNd, Scatter, Recurrent.
// NetworkCases: several operators, whose fusion must not show.
void AddLinearCases(Generator& generator, std::vector<Case>& cases);
void AddMathCases(Generator& generator, std::vector<Case>& cases);
void AddMoveCases(Generator& generator, std::vector<Case>& cases);
void AddSelectCases(Generator& generator, std::vector<Case>& cases);
void AddNetworkCases(Generator& generator, std::vector<Case>& cases);

}  // namespace soter::conformance
