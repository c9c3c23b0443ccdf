#include "common/graph/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "common/base/writer.h"
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

Result<ValidatedGraph> Decode(std::span<const std::byte> bytes, uint64_t max_data_bytes = UINT64_MAX) {
  return DecodeGraph([&](std::span<std::byte> target) -> Status {
    if (target.size() > bytes.size()) return Unavailable("end of input");
    std::ranges::copy(bytes.first(target.size()), target.begin());
    bytes = bytes.subspan(target.size());
    return {};
  }, max_data_bytes);
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

TEST(Codec, AWholeEncodingMustEndWhereItSaysSo) {
  std::vector<std::byte> bytes = Encode(GraphWithData());
  ASSERT_TRUE(DecodeGraph(bytes).ok());
  EXPECT_EQ(DecodeGraph(std::span(bytes).first(bytes.size() - 1)).error().code, ErrorCode::kMalformed);
  bytes.push_back(std::byte{0});
  EXPECT_EQ(DecodeGraph(bytes).error().code, ErrorCode::kMalformed);
}

TEST(Codec, InitializersThatClaimTooMuchTogetherAreRefused) {
  std::vector<std::byte> bytes = Encode(GraphWithData());
  EXPECT_TRUE(Decode(bytes, 2400).ok());
  Result<ValidatedGraph> refused = Decode(bytes, 2399);
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("claim more than the 2399 bytes"));
}

// An encoding whose only initializer claims 4 TiB that are not there.
std::vector<std::byte> HugeClaim() {
  GraphBuilder b;
  b.Output(b.Add(Linear{}, {b.Input("x", Shape{1, int64_t{1} << 40}), b.Weight({1, int64_t{1} << 40})}));
  b.graph().initializers[0].weight = kNoWeight;
  std::vector<std::byte> structure = EncodeStructure(b.graph()), bytes = Encode(GraphWithData());
  uint64_t structure_bytes = structure.size();
  bytes.resize(kGraphHeaderBytes);
  std::memcpy(bytes.data() + kGraphMagic.size(), &structure_bytes, sizeof(structure_bytes));
  bytes.insert(bytes.end(), structure.begin(), structure.end());
  bytes.resize(bytes.size() + PaddingAfter(bytes.size()));
  return bytes;
}

TEST(Codec, AWholeEncodingCannotClaimMoreThanItHas) {
  EXPECT_EQ(DecodeGraph(HugeClaim()).error().code, ErrorCode::kMalformed);
  EXPECT_THAT(DecodeGraph(HugeClaim()).error().message, HasSubstr("claim more than"));
  EXPECT_EQ(Decode(HugeClaim(), uint64_t{1} << 41).error().code, ErrorCode::kExhausted);
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
  const std::string number = std::to_string(std::variant_size_v<Op>);
  EXPECT_THAT(DecodeStructure(bytes).error().message, HasSubstr("no operator has number " + number));
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

// A structure of one value, y, and one initializer whose encoding `write` gives.
std::vector<std::byte> WithInitializer(const std::function<void(Writer&)>& write) {
  Writer writer;
  writer.WriteCount(0);  // symbols
  writer.WriteCount(1);
  writer.WriteString("y");
  writer.WriteCount(0);  // inputs
  writer.WriteCount(1);
  writer.WriteNumber<uint32_t>(0);  // output
  writer.WriteCount(1);
  writer.WriteNumber<uint32_t>(0);
  write(writer);
  writer.WriteCount(0);  // nodes
  return std::move(writer).Take();
}

// A float32 vector in `place`.
void WriteVector(Writer& writer, int64_t extent, DataPlace place) {
  writer.WriteNumber(static_cast<uint8_t>(DType::kFloat32));
  writer.WriteNumber<uint8_t>(1);
  writer.WriteNumber(extent);
  writer.WriteNumber(static_cast<uint8_t>(place));
}

std::string StructureMessage(const std::vector<std::byte>& bytes) {
  Result<ValidatedGraph> graph = DecodeStructure(bytes);
  return graph.ok() ? "accepted" : graph.error().message;
}

TEST(Codec, InitializersThatBreakTheirRulesAreMalformed) {
  EXPECT_EQ(StructureMessage(WithInitializer([](Writer& w) { WriteVector(w, 300, DataPlace::kStreamed); })),
            "accepted");
  EXPECT_THAT(StructureMessage(WithInitializer([](Writer& w) {
                WriteVector(w, 257, DataPlace::kInline);
                w.WriteBytes(std::vector<std::byte>(257 * 4));
              })),
              HasSubstr("inline data exceeds 1024 bytes"));
  EXPECT_THAT(StructureMessage(WithInitializer([](Writer& w) {
                WriteVector(w, 300, DataPlace::kAccelerator);
                w.WriteNumber<uint64_t>(0);
              })),
              HasSubstr("weight id 0"));
  EXPECT_THAT(StructureMessage(WithInitializer([](Writer& w) { WriteVector(w, 300, static_cast<DataPlace>(3)); })),
              HasSubstr("place of an initializer's data"));
  EXPECT_THAT(StructureMessage(WithInitializer([](Writer& w) {
                w.WriteNumber<uint8_t>(1);
                w.WriteNumber<uint8_t>(9);
                w.WriteBytes(std::vector<std::byte>(100));
              })),
              HasSubstr("rank 9"));
  EXPECT_THAT(StructureMessage(WithInitializer([](Writer& w) { WriteVector(w, -1, DataPlace::kStreamed); })),
              HasSubstr("negative extent"));
}

TEST(Codec, SmallDataOutsideTheStructureIsMalformed) {
  std::vector<std::byte> structure = WithInitializer([](Writer& w) { WriteVector(w, 4, DataPlace::kStreamed); });
  Writer file;
  file.WriteBytes(std::as_bytes(std::span(kGraphMagic)));
  file.WriteNumber<uint64_t>(structure.size());
  file.WriteBytes(structure);
  file.WriteBytes(std::vector<std::byte>(PaddingAfter(file.size()) + kGraphAlignment));
  EXPECT_THAT(Decode(file.bytes()).error().message, HasSubstr("small data stands outside"));
}

TEST(Codec, InputsThatNameNoSymbolAreMalformed) {
  for (int64_t extent : {INT64_MIN, int64_t{-1025}, int64_t{-1}}) {
    Writer writer;
    writer.WriteCount(0);  // symbols
    writer.WriteCount(1);
    writer.WriteString("x");
    writer.WriteCount(1);
    writer.WriteNumber<uint32_t>(0);
    writer.WriteNumber(static_cast<uint8_t>(DType::kFloat32));
    writer.WriteNumber<uint8_t>(1);
    writer.WriteNumber(extent);
    for (uint32_t number : {1, 0, 0, 0}) writer.WriteNumber(number);  // output 0; no initializers, no nodes
    EXPECT_THAT(StructureMessage(std::move(writer).Take()), HasSubstr("names an unknown symbol")) << extent;
  }
}

TEST(Codec, TooManyNamesAreMalformed) {
  Writer writer;
  writer.WriteCount(2000);  // symbols
  writer.WriteBytes(std::vector<std::byte>(2000 * 4));
  EXPECT_THAT(StructureMessage(std::move(writer).Take()), HasSubstr("too many names"));
}

TEST(Codec, TooManyNodesAreMalformed) {
  Writer writer;
  for (int i = 0; i < 5; ++i) writer.WriteCount(0);
  writer.WriteCount((size_t{1} << 20) + 1);
  writer.WriteBytes(std::vector<std::byte>(((size_t{1} << 20) + 1) * 13));
  EXPECT_THAT(StructureMessage(std::move(writer).Take()), HasSubstr("too many nodes"));
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
