#include "common/graph/testing/graph_samples.h"

#include "common/graph/testing/graph_builder.h"

namespace soter {
namespace {

Window Square(int64_t kernel, int64_t stride, int64_t pad) {
  return {{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
}

Graph ConvolutionSample() {
  GraphBuilder b;
  ValueId x = b.Input("x", {b.Symbol("batch"), Dim::Constant(4), Dim::Constant(8), Dim::Constant(8)});
  ValueId y = b.Add(Conv{.window = Square(3, 1, 1), .groups = 2}, {x, b.Weight({4, 2, 3, 3}), b.Weight({4}), x});
  y = b.Add(ChannelAffine{.activation = Activation::kRelu}, {y, b.Weight({4}), b.Weight({4})});
  Window same = Square(2, 2, 0);
  same.auto_pad = AutoPad::kSameLower;
  y = b.Add(Pool{.kind = PoolKind::kAverage, .window = same, .count_include_pad = true}, {y});
  y = b.Add(Lrn{.size = 3}, {y});
  y = b.Add(GroupNorm{.groups = 2}, {y, b.Weight({4}), b.Weight({4})});
  y = b.Add(ConvTranspose{.window = Square(2, 2, 0), .output_padding = {1, 0}}, {y, b.Weight({4, 3, 2, 2})});
  y = b.Add(Resize{.mode = ResizeMode::kLinear}, {y, kNoValue, b.Integers({1, 3, 4, 4})});
  y = b.Add(DepthToSpace{.block = 2, .inverse = true}, {y});
  y = b.Add(Pad{.mode = PadMode::kReflect}, {y, b.Integers({0, 0, 1, 1, 0, 0, 0, 1})});
  b.Output(b.Add(Reduce{.keep_dims = false, .spatial = true}, {y}));
  return std::move(b.graph());
}

Graph AttentionSample() {
  GraphBuilder b;
  Dim batch = b.Symbol("batch"), sequence = b.Symbol("sequence");
  ValueId x = b.Input("x", {batch, sequence, Dim::Constant(8)});
  ValueId mask = b.Input("mask", {batch, sequence}, DType::kInt64);
  ValueId normal = b.Add(LayerNorm{}, {x, b.Weight({8}), b.Weight({8})});
  ValueId joint = b.Add(Linear{}, {normal, b.Weight({24, 8}), b.Weight({24})});
  std::vector<ValueId> parts = b.AddNode(Split{.axis = 2}, {joint, b.Integers({8, 8, 8})}, 3);
  ValueId scores = b.Add(MatMul{.transpose_b = true, .alpha = 0.25f}, {parts[0], parts[1]});
  ValueId seen = b.Add(Unsqueeze{}, {b.Add(Cast{.to = DType::kBool}, {mask}), b.Integers({1})});
  ValueId floor = b.Constant(Tensor::FromValues<float>({}, {-1e9f}));
  ValueId masked = b.Add(Trilu{.upper = false}, {b.Add(Where{}, {seen, scores, floor})});
  ValueId y = b.Add(MatMul{}, {b.Add(Softmax{.axis = -1}, {masked}), parts[2]});
  y = b.Add(Unary{.kind = UnaryKind::kGeluErf}, {y});
  b.Output(b.Add(Binary{.kind = BinaryKind::kAdd}, {b.Add(Transpose{.perm = {0, 1, 2}}, {y}), x}));
  return std::move(b.graph());
}

Graph ShapeSample() {
  GraphBuilder b;
  ValueId x = b.Input("x", {b.Symbol("n"), Dim::Constant(1), Dim::Constant(6)});
  ValueId extent = b.Add(Gather{}, {b.Add(ShapeOf{}, {x}), b.Scalar(0)});
  ValueId positions = b.Add(Range{}, {b.Scalar(0), extent, b.Scalar(1)});
  ValueId shape = b.Add(Concat{}, {b.Add(Unsqueeze{}, {extent, b.Integers({0})}), b.Integers({6})});
  ValueId zeros = b.Add(Fill{}, {shape, b.Constant(Tensor::FromValues<float>({1}, {0.0f}))});
  ValueId row = b.Add(Slice{}, {b.Add(Squeeze{}, {x, b.Integers({1})}), b.Integers({-1}), b.Integers({INT64_MIN}),
                               b.Integers({1}), b.Integers({-2})});
  b.Output(b.Add(Expand{}, {positions, b.Integers({2, 1})}), "positions");
  b.Output(b.Add(Tile{}, {row, b.Integers({1, 2})}), "tiled");
  b.Output(b.Add(Binary{}, {b.Add(Reshape{}, {x, shape}), b.Add(Flatten{}, {zeros})}), "sum");
  return std::move(b.graph());
}

Graph SequenceSample() {
  GraphBuilder b;
  Dim batch = b.Symbol("batch");
  ValueId x = b.Input("x", {Dim::Constant(5), batch, Dim::Constant(12)});
  ValueId lengths = b.Input("lengths", {batch}, DType::kInt32);
  std::vector<ValueId> states = b.AddNode(Recurrent{.reverse = true}, {x, b.Weight({12, 3}), kNoValue, lengths}, 3);
  ValueId sums = b.Add(CumSum{.exclusive = true}, {states[0], b.Integers({0})});
  std::vector<ValueId> best = b.AddNode(TopK{.largest = false}, {sums, b.Integers({2})}, 2);
  ValueId scattered = b.Add(Scatter{.axis = 2, .elements = true}, {sums, best[1], best[0]});
  b.Output(b.Add(GatherNd{}, {scattered, b.Constant(Tensor::FromValues<int64_t>({2, 1}, {4, -1}))}));
  return std::move(b.graph());
}

}  // namespace

std::vector<Graph> SampleGraphs() {
  std::vector<Graph> graphs;
  graphs.push_back(ConvolutionSample());
  graphs.push_back(AttentionSample());
  graphs.push_back(ShapeSample());
  graphs.push_back(SequenceSample());
  return graphs;
}

}  // namespace soter
