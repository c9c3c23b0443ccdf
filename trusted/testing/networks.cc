#include "trusted/testing/networks.h"

#include <cmath>

namespace soter::testing {

ValueId GraphBuilder::Input(const std::string& name, std::vector<Dim> shape, DType dtype) {
  ValueId value = graph_.AddValue(name);
  graph_.inputs.push_back({value, dtype, std::move(shape)});
  return value;
}

ValueId GraphBuilder::Parameter(Shape shape) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, shape}).value();
  int64_t fan_in = 1;
  for (size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
  for (float& value : tensor.MutableAs<float>())
    value = static_cast<float>(random_->NextGaussian() / std::sqrt(static_cast<double>(fan_in)));
  ValueId value = graph_.AddValue("");
  graph_.initializers.push_back({value, tensor.type(), std::make_shared<const Tensor>(std::move(tensor))});
  return value;
}

ValueId GraphBuilder::Apply(Op op, std::vector<ValueId> inputs) {
  ValueId output = graph_.AddValue("");
  graph_.nodes.push_back({"node" + std::to_string(graph_.nodes.size()), std::move(op), std::move(inputs), {output}});
  return output;
}

ValueId GraphBuilder::Conv3x3(ValueId x, int64_t in_channels, int64_t out_channels) {
  ValueId weight = Parameter({out_channels, in_channels, 3, 3}), bias = Parameter({out_channels});
  return Apply(Conv{.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}}, {x, weight, bias});
}

ValueId GraphBuilder::Dense(ValueId x, int64_t in_features, int64_t out_features) {
  ValueId weight = Parameter({out_features, in_features}), bias = Parameter({out_features});
  return Apply(Linear{}, {x, weight, bias});
}

ValueId GraphBuilder::MaxPool2x2(ValueId x) {
  return Apply(Pool{.kind = PoolKind::kMax, .window = {{2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}}}, {x});
}

uint32_t GraphBuilder::Symbol(const std::string& name) {
  graph_.symbols.push_back(name);
  return static_cast<uint32_t>(graph_.symbols.size() - 1);
}

ValidatedGraph GraphBuilder::Finish(std::vector<ValueId> outputs) {
  for (size_t i = 0; i < outputs.size(); ++i)
    if (graph_.value_names[outputs[i]].empty()) graph_.value_names[outputs[i]] = "y" + std::to_string(i);
  graph_.outputs = std::move(outputs);
  return ValidatedGraph::Validate(std::move(graph_)).value();
}

ValidatedGraph SmallCnn() {
  GraphBuilder b;
  ValueId x = b.Input("x", {Dim::Symbol(b.Symbol("batch")), Dim::Constant(3), Dim::Constant(12), Dim::Constant(12)});
  ValueId a = b.Relu(b.Conv3x3(x, 3, 16));
  ValueId c = b.MaxPool2x2(b.Relu(b.Conv3x3(a, 16, 16)));
  ValueId d = b.Relu(b.Add(b.Conv3x3(c, 16, 16), c));
  ValueId e = b.Relu(b.Dense(b.Apply(Flatten{}, {d}), 16 * 36, 40));
  return b.Finish({b.Apply(Softmax{}, {b.Dense(e, 40, 7)})});
}

ValidatedGraph WideCnn(int64_t batch) {
  GraphBuilder b;
  Dim first = batch > 0 ? Dim::Constant(batch) : Dim::Symbol(b.Symbol("batch"));
  ValueId x = b.Input("x", {first, Dim::Constant(3), Dim::Constant(12), Dim::Constant(12)});
  ValueId a = b.Relu(b.Conv3x3(x, 3, 32));
  ValueId c = b.MaxPool2x2(b.Relu(b.Conv3x3(a, 32, 48)));
  ValueId d = b.Relu(b.Add(b.Conv3x3(b.Relu(b.Conv3x3(c, 48, 48)), 48, 48), c));
  ValueId e = b.Relu(b.Dense(b.Apply(Flatten{}, {d}), 48 * 36, 64));
  return b.Finish({b.Apply(Softmax{}, {b.Dense(e, 64, 10)})});
}

}  // namespace soter::testing
