#include "tests/conformance/cases.h"

#include <limits>

namespace soter::conformance {

namespace {

template <typename T, typename Draw>
Tensor Drawn(const Shape& shape, Draw draw) {
  Tensor tensor = Tensor::Allocate({DTypeOfElement<T>::value, shape}).value();
  for (T& element : tensor.MutableAs<T>()) element = draw();
  return tensor;
}

}  // namespace

Tensor Generator::Floats(const Shape& shape, float low, float high) {
  std::uniform_real_distribution<float> range(low, high);
  return Drawn<float>(shape, [&] { return range(engine_); });
}

Tensor Generator::Int64s(const Shape& shape, int64_t low, int64_t high) {
  std::uniform_int_distribution<int64_t> range(low, high);
  return Drawn<int64_t>(shape, [&] { return range(engine_); });
}

Tensor Generator::Int32s(const Shape& shape, int32_t low, int32_t high) {
  std::uniform_int_distribution<int32_t> range(low, high);
  return Drawn<int32_t>(shape, [&] { return range(engine_); });
}

Tensor Generator::Bools(const Shape& shape) {
  return Drawn<bool>(shape, [&] { return (engine_() & 1) != 0; });
}

std::vector<Case> AllCases(uint64_t seed) {
  Generator generator(seed);
  std::vector<Case> cases;
  AddLinearCases(generator, cases);
  AddMathCases(generator, cases);
  AddMoveCases(generator, cases);
  AddSelectCases(generator, cases);
  AddNetworkCases(generator, cases);
  return cases;
}

}  // namespace soter::conformance
