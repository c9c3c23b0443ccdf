#include "common/graph/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "common/graph/encoding.h"
#include "common/graph/testing/graph_builder.h"
#include "common/graph/testing/graph_samples.h"

namespace soter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::byte> Encode(const Graph& graph) {
  std::vector<std::byte> bytes;
  EXPECT_TRUE(EncodeGraph(graph, [&](std::span<const std::byte> piece) -> Status {
                bytes.insert(bytes.end(), piece.begin(), piece.end());
                return {};
              }).ok());
  return bytes;
}

Result<ValidatedGraph> Decode(std::span<const std::byte> bytes) {
  return DecodeGraph([&](std::span<std::byte> target) -> Status {
    if (target.size() > bytes.size()) return Unavailable("end of input");
    std::ranges::copy(bytes.first(target.size()), target.begin());
    bytes = bytes.subspan(target.size());
    return {};
  });
}

// A graph with one large and one small initializer.
Graph GraphWithData() {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{1, 300});
  ValueId weight = b.Constant(Tensor::FromValues<float>({2, 300}, std::vector<float>(600, 0.5f)));
  b.Output(b.Add(Linear{}, {x, weight, b.Constant(Tensor::FromValues<float>({2}, {1.0f, 2.0f}))}));
  return std::move(b.graph());
}

ErrorCode StructureError(std::vector<std::byte> bytes) { return DecodeStructure(bytes).error().code; }

TEST(Codec, EveryOperatorSurvivesARoundTrip) {
  for (const Graph& graph : SampleGraphs()) {
    std::vector<std::byte> bytes = EncodeStructure(graph);
    Result<ValidatedGraph> decoded = DecodeStructure(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message << "\n" << Dump(graph);
    EXPECT_EQ(EncodeStructure(decoded->graph()), bytes);
    EXPECT_EQ(Dump(decoded->graph()), Dump(graph));
  }
}

TEST(Codec, LargeDataFollowsTheStructureAligned) {
  Graph graph = GraphWithData();
  EXPECT_THAT(StreamedInitializers(graph), ElementsAre(0));
  std::vector<std::byte> bytes = Encode(graph);
  EXPECT_EQ(bytes.size() % kGraphAlignment, 0u);
  Graph structure = DecodeStructure(EncodeStructure(graph)).value().Take();
  EXPECT_EQ(structure.initializers[0].data, nullptr);
  EXPECT_EQ(structure.initializers[1].data->As<float>()[1], 2.0f);
  Graph whole = Decode(bytes).value().Take();
  EXPECT_THAT(whole.initializers[0].data->As<float>(), testing::Each(0.5f));
  EXPECT_EQ(Encode(whole), bytes);
}

TEST(Codec, WeightIdsSurvive) {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{1, 4});
  b.Output(b.Add(Linear{}, {x, b.Weight({2, 4})}));
  b.graph().initializers[0].weight = 42;
  EXPECT_TRUE(StreamedInitializers(b.graph()).empty());
  EXPECT_EQ(DecodeStructure(EncodeStructure(b.graph())).value().graph().initializers[0].weight, 42u);
}

TEST(Codec, EveryTruncationFails) {
  for (const Graph& graph : SampleGraphs()) {
    std::vector<std::byte> bytes = EncodeStructure(graph);
    for (size_t size = 0; size < bytes.size(); ++size) {
      std::vector<std::byte> prefix(bytes.begin(), bytes.begin() + size);  // exact, so that a sanitizer sees its end
      EXPECT_EQ(StructureError(std::move(prefix)), ErrorCode::kMalformed);
    }
  }
  std::vector<std::byte> whole = Encode(GraphWithData());
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(Decode(std::span(whole).first(size)).error().code, ErrorCode::kUnavailable);
}

TEST(Codec, TrailingBytesAreMalformed) {
  std::vector<std::byte> bytes = EncodeStructure(SampleGraphs().front());
  bytes.push_back(std::byte{0});
  EXPECT_EQ(StructureError(bytes), ErrorCode::kMalformed);
}

TEST(Codec, WrongMagicIsMalformed) {
  std::vector<std::byte> bytes = Encode(GraphWithData());
  bytes[0] = std::byte{'s'};
  EXPECT_THAT(Decode(bytes).error().message, HasSubstr("not a graph"));
}

TEST(Codec, AStructureOverTheLimitIsMalformed) {
  std::vector<std::byte> bytes = Encode(GraphWithData());
  uint64_t claimed = kMaxStructureBytes + 1;
  std::memcpy(bytes.data() + 8, &claimed, sizeof(claimed));
  EXPECT_EQ(Decode(bytes).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(StructureError(std::vector<std::byte>(kMaxStructureBytes + 1)), ErrorCode::kMalformed);
}

TEST(Codec, PaddingThatIsNotZeroIsMalformed) {
  std::vector<std::byte> bytes = Encode(GraphWithData());
  ASSERT_TRUE(Decode(bytes).ok());
  bytes.back() = std::byte{1};
  EXPECT_THAT(Decode(bytes).error().message, HasSubstr("padding"));
}

// A graph whose last node is y = Unary(x), with `op` written as its last bytes.
std::vector<std::byte> EndingWith(Op op) {
  GraphBuilder b;
  b.Output(b.Add(std::move(op), {b.Input("x", Shape{1})}));
  return EncodeStructure(b.graph());
}

TEST(Codec, AnUnknownOperatorIsMalformed) {
  std::vector<std::byte> bytes = EndingWith(Squeeze{});
  // name "n0" (6), number, one input (8), one output (8): the number is 17 bytes from the end
  bytes[bytes.size() - 17] = static_cast<std::byte>(std::variant_size_v<Op>);
  EXPECT_THAT(DecodeStructure(bytes).error().message, HasSubstr("no operator has number 33"));
}

TEST(Codec, AnUnknownKindIsMalformed) {
  std::vector<std::byte> bytes = EndingWith(Unary{});
  bytes[bytes.size() - 9] = std::byte{200};
  EXPECT_THAT(DecodeStructure(bytes).error().message, HasSubstr("kind is not a known value"));
}

TEST(Codec, ABoolThatIsNeitherZeroNorOneIsMalformed) {
  std::vector<std::byte> bytes = EndingWith(Trilu{});
  bytes.back() = std::byte{2};
  EXPECT_THAT(DecodeStructure(bytes).error().message, HasSubstr("upper is neither 0 nor 1"));
}

TEST(Codec, BoolDataThatIsNeitherZeroNorOneIsMalformed) {
  Tensor flag = Tensor::FromValues<bool>({1}, {true});
  flag.mutable_bytes()[0] = std::byte{2};
  GraphBuilder b;
  b.Output(b.Constant(std::move(flag)));
  EXPECT_THAT(DecodeStructure(EncodeStructure(b.graph())).error().message, HasSubstr("neither 0 nor 1"));
}

TEST(Codec, CountsLargerThanTheInputAreMalformed) {
  std::vector<std::byte> bytes(64, std::byte{0xff});
  EXPECT_EQ(StructureError(bytes), ErrorCode::kMalformed);
}

TEST(Codec, AnErrorOfTheSinkComesBack) {
  Status status = EncodeGraph(GraphWithData(),
                              [](std::span<const std::byte>) -> Status { return Exhausted("disk full"); });
  EXPECT_EQ(status.error().code, ErrorCode::kExhausted);
}

TEST(Dump, PrintsOneNodeALine) {
  GraphBuilder b;
  ValueId x = b.Input("x", {b.Symbol("batch"), Dim::Constant(4)});
  b.Output(b.Add(Reshape{}, {x, b.Integers({2, -1})}));
  EXPECT_EQ(Dump(b.graph()),
            "input %0:x: float32[batch, 4]\n"
            "initializer %1: int64[2] = [2, -1]\n"
            "node %2:y = Reshape(%0:x, %1) {allow_zero=false}  # n0\n"
            "output %2:y\n");
}

TEST(Dump, NamesCannotSteerATerminal) {
  GraphBuilder b;
  b.Output(b.Input("\x1b[31mred", Shape{1}));
  EXPECT_THAT(Dump(b.graph()), HasSubstr("%0:?[31mred"));
}

}  // namespace
}  // namespace soter
