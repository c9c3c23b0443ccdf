#pragma once

#include "common/graph/bind.h"
#include "trusted/mask/random_source.h"

namespace soter::testing {

// GraphBuilder writes small networks for tests; every operator takes and returns value ids.
class GraphBuilder {
 public:
  explicit GraphBuilder(uint64_t seed = 1) : random_(MakeSeededRandom(seed)) {}

  ValueId Input(const std::string& name, std::vector<Dim> shape, DType dtype = DType::kFloat32);
  // Parameter of the given shape, Gaussian, scaled by 1 / sqrt(elements per output).
  ValueId Parameter(Shape shape);
  // 3x3 convolution with padding 1 and a bias.
  ValueId Conv3x3(ValueId x, int64_t in_channels, int64_t out_channels);
  ValueId Dense(ValueId x, int64_t in_features, int64_t out_features);
  ValueId Apply(Op op, std::vector<ValueId> inputs);
  ValueId Relu(ValueId x) { return Apply(Unary{.kind = UnaryKind::kRelu}, {x}); }
  ValueId Add(ValueId a, ValueId b) { return Apply(Binary{.kind = BinaryKind::kAdd}, {a, b}); }
  ValueId MaxPool2x2(ValueId x);
  uint32_t Symbol(const std::string& name);
  ValidatedGraph Finish(std::vector<ValueId> outputs);

 private:
  std::unique_ptr<RandomSource> random_;
  Graph graph_;
};

// SmallCnn: conv, relu, conv, relu, pool, conv with an identity shortcut, relu, flatten, dense, relu, dense, softmax,
// on [batch, 3, 12, 12]; 5 linear operators.
ValidatedGraph SmallCnn();

// WideCnn is wide enough that checking most of its operators is cheap: conv from 3 channels, conv, pool, a shortcut over
// two convs, dense, dense, softmax, with ReLUs between them; 6 linear operators, 4 of them cheap to check.
// batch: constant, or 0 for a symbol.
ValidatedGraph WideCnn(int64_t batch = 0);

}  // namespace soter::testing
