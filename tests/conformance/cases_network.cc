#include "tests/conformance/case_builder.h"

namespace soter::conformance {

namespace {

const Unary kReluOp{.kind = UnaryKind::kRelu};

// Small networks with the joints of the large ones; channel counts that do and do not fill a block of 16.
struct NetworkBuilder : CaseBuilder {
  using CaseBuilder::CaseBuilder;

  ValueId ConvOf(ValueId x, int64_t in, int64_t out, int64_t kernel, int64_t stride = 1) {
    Conv conv{.window = MakeWindow({kernel, kernel}, {stride, stride}, {kernel / 2, kernel / 2})};
    return Add(conv, {x, Weight({out, in, kernel, kernel}), Weight({out})});
  }
  ValueId ReluOf(ValueId x) { return Add(kReluOp, {x}); }
  ValueId Sum(ValueId a, ValueId b) { return Add(Binary{.kind = BinaryKind::kAdd}, {a, b}); }
};

Case PlainNetwork(Generator& g, int64_t channels) {
  NetworkBuilder net("Vgg" + std::to_string(channels), g);
  ValueId x = net.Input({1, 3, 12, 12});
  ValueId y = net.ReluOf(net.ConvOf(x, 3, channels, 3));
  y = net.ReluOf(net.ConvOf(y, channels, channels, 3));
  y = net.Add(Pool{.window = MakeWindow({2, 2}, {2, 2})}, {y});
  y = net.Add(Flatten{}, {y});
  y = net.ReluOf(net.Add(Linear{}, {y, net.Weight({20, channels * 36}), net.Weight({20})}));
  y = net.Add(Linear{}, {y, net.Weight({10, 20}), net.Weight({10})});
  return net.Finish({net.Add(Softmax{}, {y})});
}

Case ResidualNetwork(Generator& g, int64_t channels) {
  NetworkBuilder net("ResNet" + std::to_string(channels), g);
  ValueId x = net.Input({1, 3, 14, 14});
  ValueId y = net.ReluOf(net.ConvOf(x, 3, channels, 3));
  ValueId branch = net.ConvOf(net.ReluOf(net.ConvOf(y, channels, channels, 3)), channels, channels, 1);
  y = net.ReluOf(net.Sum(branch, y));  // identity shortcut
  ValueId left = net.ConvOf(net.ReluOf(net.ConvOf(y, channels, channels, 1)), channels, 2 * channels, 3, 2);
  ValueId right = net.ConvOf(y, channels, 2 * channels, 1, 2);
  y = net.ReluOf(net.Sum(left, right));  // projection shortcut
  y = net.Add(Reduce{.spatial = true}, {y});
  y = net.Add(Flatten{}, {y});
  return net.Finish({net.Add(Linear{}, {y, net.Weight({7, 2 * channels}), net.Weight({7})})});
}

Case DenseNetwork(Generator& g, int64_t channels) {
  NetworkBuilder net("DenseNet" + std::to_string(channels), g);
  ValueId x = net.ConvOf(net.Input({1, 3, 10, 10}), 3, channels, 3);
  for (int64_t width = channels; width < 4 * channels; width += channels) {
    ValueId y = net.ReluOf(net.Add(ChannelAffine{}, {x, net.Weight({width}), net.Weight({width})}));
    x = net.Add(Concat{.axis = 1}, {x, net.ConvOf(y, width, channels, 3)});
  }
  return net.Finish({net.Add(Pool{.kind = PoolKind::kAverage, .window = MakeWindow({2, 2}, {2, 2})}, {x})});
}

Case AttentionNetwork(Generator& g) {
  NetworkBuilder net("Attention", g);
  ValueId x = net.Input({1, 7, 32});
  auto heads = [&](ValueId v, std::vector<int64_t> perm) {
    ValueId projected = net.Add(Linear{}, {v, net.Weight({32, 32}), net.Weight({32})});
    return net.Add(Transpose{.perm = std::move(perm)}, {net.Add(Reshape{}, {projected, net.Integers({1, 7, 4, 8})})});
  };
  ValueId scores = net.Add(MatMul{.alpha = 0.35f}, {heads(x, {0, 2, 1, 3}), heads(x, {0, 2, 3, 1})});
  ValueId mixed = net.Add(MatMul{}, {net.Add(Softmax{}, {scores}), heads(x, {0, 2, 1, 3})});
  ValueId joined = net.Add(Reshape{}, {net.Add(Transpose{.perm = {0, 2, 1, 3}}, {mixed}), net.Integers({1, 7, 32})});
  ValueId y = net.Sum(net.Add(Linear{}, {joined, net.Weight({32, 32}), net.Weight({32})}), x);
  y = net.Add(LayerNorm{}, {y, net.Weight({32}), net.Weight({32})});
  return net.Finish({net.Add(Unary{.kind = UnaryKind::kGeluErf}, {y})});
}

// Every pre-activation result is also an output, as the checked chain needs it.
Case StreamedNetwork(Generator& g) {
  NetworkBuilder net("Streamed", g);
  ValueId first = net.ConvOf(net.Input({1, 3, 12, 12}), 3, 32, 3);
  ValueId second = net.ConvOf(net.ReluOf(first), 32, 32, 3);
  ValueId sum = net.Sum(second, first);
  return net.Finish({first, second, net.ReluOf(sum), sum});
}

// Operators that must not spoil the padding of a blocked layout, or read it.
Case PaddedChannels(Generator& g) {
  NetworkBuilder net("PaddedChannels", g);
  ValueId x = net.ConvOf(net.Input({1, 8, 9, 9}), 8, 19, 3);
  ValueId y = net.Add(Unary{.kind = UnaryKind::kSigmoid}, {x});
  y = net.Add(Unary{.kind = UnaryKind::kCos}, {y});
  y = net.Add(Binary{.kind = BinaryKind::kMul}, {y, net.Weight({19, 1, 1})});
  return net.Finish({net.ConvOf(net.Sum(y, x), 19, 21, 3)});
}

Case BroadcastOnImages(Generator& g) {
  NetworkBuilder net("BroadcastOnImages", g);
  ValueId x = net.ConvOf(net.Input({2, 16, 6, 5}), 16, 32, 3);
  ValueId gate = net.Add(Unary{.kind = UnaryKind::kSigmoid}, {net.Add(Reduce{.spatial = true}, {x})});
  ValueId y = net.Add(Binary{.kind = BinaryKind::kMul}, {x, gate});
  y = net.Sum(y, net.Weight({6, 5}));
  y = net.Sum(y, net.Weight({1, 32, 6, 5}));
  return net.Finish({net.ConvOf(net.Add(Binary{.kind = BinaryKind::kSub}, {net.Weight({1}), y}), 32, 16, 1), y});
}

Case SharedOutputs(Generator& g) {
  NetworkBuilder net("SharedOutputs", g);
  ValueId x = net.Input({2, 3, 4});
  ValueId y = net.ReluOf(x), flat = net.Add(Reshape{}, {y, net.Integers({6, 4})});
  return net.Finish({y, flat, net.Sum(flat, flat)});
}

}  // namespace

void AddNetworkCases(Generator& generator, std::vector<Case>& cases) {
  for (int64_t channels : {16, 10}) {
    cases.push_back(PlainNetwork(generator, channels));
    cases.push_back(ResidualNetwork(generator, channels));
    cases.push_back(DenseNetwork(generator, channels));
  }
  cases.push_back(AttentionNetwork(generator));
  cases.push_back(StreamedNetwork(generator));
  cases.push_back(PaddedChannels(generator));
  cases.push_back(BroadcastOnImages(generator));
  cases.push_back(SharedOutputs(generator));
}

}  // namespace soter::conformance
