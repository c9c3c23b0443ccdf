#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <random>

#include "common/graph/codec.h"
#include "common/graph/node_rules.h"
#include "common/graph/testing/exercise.h"
#include "common/graph/testing/graph_builder.h"
#include "common/graph/testing/graph_samples.h"

namespace soter {
namespace {

int64_t Pick(int64_t least, int64_t most) { return *rc::gen::inRange<int64_t>(least, most + 1); }

// RandomAttributes fills every attribute with a value of its range, seldom caring how they fit together.
struct RandomAttributes {
  template <typename E>
    requires std::is_enum_v<E>
  void operator()(const char*, E& value) { value = static_cast<E>(Pick(0, static_cast<int64_t>(E::kLast))); }
  void operator()(const char*, DType& value) { value = static_cast<DType>(Pick(1, 8)); }
  void operator()(const char*, bool& value) { value = Pick(0, 1) == 1; }
  void operator()(const char*, int64_t& value) { value = Pick(-2, 6); }
  void operator()(const char*, float& value) { value = static_cast<float>(Pick(-100, 1000)) / 64; }
  void operator()(const char*, std::vector<int64_t>& values) {
    values.resize(Pick(0, 3));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(values.size() - 1 - i);
  }
  void operator()(const char* name, Window& window) {
    size_t axes = Pick(1, 3);
    for (auto* values : {&window.kernel, &window.strides, &window.dilations}) values->assign(axes, Pick(1, 4));
    for (auto* values : {&window.pads_begin, &window.pads_end}) values->assign(axes, Pick(0, 2));
    (*this)(name, window.auto_pad);
  }
};

template <size_t kNumber = 0>
Op RandomOp(size_t number) {
  if constexpr (kNumber + 1 < std::variant_size_v<Op>) {
    if (number != kNumber) return RandomOp<kNumber + 1>(number);
  }
  std::variant_alternative_t<kNumber, Op> op;
  decltype(op)::Fields(op, RandomAttributes{});
  return op;
}

// AddRandomNode appends a node of any operator; where its attributes do not fit together, an Add instead.
void AddRandomNode(GraphBuilder& b, std::vector<ValueId>& defined, ValueId weight) {
  Op op = RandomOp(Pick(0, std::variant_size_v<Op> - 1));
  OperandCounts counts = OperandCountsOf(op);
  size_t count = Pick(counts.least, std::min<size_t>(counts.most, counts.least + 3));
  bool has_weights = op.index() <= 2;
  std::vector<ValueId> operands;
  for (size_t i = 0; i < count; ++i) {
    bool absent = i >= counts.least && counts.most != SIZE_MAX && Pick(0, 2) == 0;
    ValueId any = defined[Pick(0, defined.size() - 1)];
    operands.push_back(absent ? kNoValue : has_weights && (i == 1 || i == 2) ? weight : any);
  }
  bool several = std::holds_alternative<Split>(op) || std::holds_alternative<TopK>(op) ||
                 std::holds_alternative<Recurrent>(op);
  size_t outputs = several ? Pick(1, 3) : 1;
  if (!CheckNode(Node{"", op, operands, std::vector<ValueId>(outputs)}).ok()) {
    op = Binary{};
    operands = {defined[0], defined.back()};
    outputs = 1;
  }
  for (ValueId value : b.AddNode(std::move(op), operands, outputs)) defined.push_back(value);
}

Graph RandomGraph() {
  GraphBuilder b;
  std::vector<Dim> shape = {b.Symbol("batch"), Dim::Constant(Pick(0, 9))};
  std::vector<ValueId> defined = {b.Input("x", shape, static_cast<DType>(Pick(1, 8)))};
  ValueId weight = b.Weight({Pick(0, 400), 3});
  if (Pick(0, 1)) b.graph().initializers[0].weight = Pick(1, 1000);
  defined.push_back(weight);
  defined.push_back(b.Integers({Pick(-9, 9), Pick(INT64_MIN, INT64_MAX - 1)}));
  int64_t node_count = Pick(0, 12);
  for (int64_t i = 0; i < node_count; ++i) AddRandomNode(b, defined, weight);
  b.Output(defined.back());
  return std::move(b.graph());
}

void ExpectProperty(const std::function<void()>& property) { EXPECT_TRUE(rc::check(property)); }

TEST(CodecProperty, RandomValidGraphsSurviveARoundTrip) {
  ExpectProperty([] {
    Graph graph = RandomGraph();
    RC_ASSERT(ValidatedGraph::Validate(graph).ok());
    std::vector<std::byte> bytes = EncodeStructure(graph);
    Result<ValidatedGraph> decoded = DecodeStructure(bytes);
    RC_ASSERT(decoded.ok());
    const Graph& back = decoded->graph();
    RC_ASSERT(EncodeStructure(back) == bytes);
    RC_ASSERT(back.value_names == graph.value_names);
    RC_ASSERT(back.nodes.size() == graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      RC_ASSERT(back.nodes[i].op == graph.nodes[i].op);
      RC_ASSERT(back.nodes[i].inputs == graph.nodes[i].inputs);
      RC_ASSERT(back.nodes[i].outputs == graph.nodes[i].outputs);
    }
  });
}

TEST(CodecProperty, RandomValidGraphsBindOrFailCleanly) {
  ExpectProperty([] { ExerciseDecoder(EncodeStructure(RandomGraph())); });
}

// Each run flips a few bytes of a sample many times over; ExerciseDecoder says what must hold.
TEST(CodecProperty, MutatedBytesNeverCrash) {
  std::vector<std::vector<std::byte>> samples;
  for (const Graph& graph : SampleGraphs()) samples.push_back(EncodeStructure(graph));
  ExpectProperty([&] {
    std::mt19937_64 random(*rc::gen::arbitrary<uint64_t>());
    for (int i = 0; i < 100; ++i) {
      std::vector<std::byte> bytes = samples[random() % samples.size()];
      for (size_t flips = 1 + random() % 4; flips > 0; --flips)
        bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 3 ? random() % 8 : random());
      ExerciseDecoder(bytes);
    }
  });
}

}  // namespace
}  // namespace soter
