// Reading a record that somebody else made: what is accepted, and every way to be wrong, by name.

#include "audit/view/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "common/graph/codec.h"
#include "common/graph/testing/graph_builder.h"

namespace soter::audit {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kPorts =
    R"({"inputs": [{"dtype": "float32", "shape": [2, 3], "layout": "dense"}],
        "outputs": [{"dtype": "float32", "shape": [2, 4], "layout": "dense"}]})";

// A record of one segment, y = x W^T with W = weight 7, run once, and one query of the adversary's own.
class ViewTest : public ::testing::Test {
 protected:
  ViewTest() : root_(fs::path(::testing::TempDir()) / ("view-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    for (const char* folder : {"weights", "segments/0", "runs/0-segment-0", "queries/0"}) fs::create_directories(root_ / folder);
    WriteSegment(0);
    WriteText("segments/0/segment.json", kPorts);
    Write("weights/7.npy", Numbers({4, 3}));
    Write("runs/0-segment-0/input-0.npy", Numbers({2, 3}));
    Write("runs/0-segment-0/output-0.npy", Numbers({2, 4}));
    Write("queries/0/input-0.npy", Numbers({2, 3}));
    Write("queries/0/output-0.npy", Numbers({2, 4}));
    WriteText("events.jsonl", "{\"time_ns\": 5, \"event\": \"weight\", \"number\": 7, \"size_bytes\": 48}\n");
  }
  ~ViewTest() override { fs::remove_all(root_); }

  static Tensor Numbers(Shape shape) {
    Tensor tensor = Tensor::Allocate({DType::kFloat32, std::move(shape)}).value();
    float next = 0;
    for (float& value : tensor.MutableAs<float>()) value = next++;
    return tensor;
  }
  void WriteSegment(int number) {
    GraphBuilder builder;
    ValueId x = builder.Input("x", Shape{2, 3}), weight = builder.Weight({4, 3});
    builder.graph().initializers.back().weight = 7;
    builder.graph().initializers.back().data = nullptr;
    builder.Output(builder.Add(Linear{}, {x, weight}));
    std::ofstream file(root_ / "segments" / std::to_string(number) / "graph.bin", std::ios::binary);
    ASSERT_TRUE(EncodeGraph(builder.graph(), [&](std::span<const std::byte> bytes) -> Status {
                  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
                  return {};
                }).ok());
  }
  void WriteText(const char* path, const std::string& text) { std::ofstream(root_ / path) << text; }
  void Write(const char* path, const Tensor& tensor) { ASSERT_TRUE(WriteArray(root_ / path, tensor.view()).ok()); }
  void Shorten(const char* path) { fs::resize_file(root_ / path, fs::file_size(root_ / path) - 1); }

  void ExpectRefused(const std::string& file, const std::string& why = "") {
    Result<View> view = ReadView(root_);
    ASSERT_FALSE(view.ok());
    EXPECT_THAT(view.error().message, HasSubstr(file));
    EXPECT_THAT(view.error().message, HasSubstr(why));
  }

  fs::path root_;
};

TEST_F(ViewTest, AWholeRecordIsRead) {
  Result<View> view = ReadView(root_);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(view->segments.size(), 1u);
  EXPECT_EQ(view->QueryCount(), 1u);
  EXPECT_EQ(view->RunOf(0, 0)->inputs[0].As<float>()[5], 5);
  EXPECT_EQ(view->RunOf(0, 1), nullptr);
  EXPECT_EQ(view->segments[0].graph.graph().initializers[0].data->As<float>()[11], 11);
  EXPECT_EQ(view->queries[0].outputs[0].shape(), (Shape{2, 4}));
  ASSERT_EQ(view->events.size(), 1u);
  EXPECT_EQ(view->events[0].what, "weight");
  EXPECT_EQ(view->events[0].size_bytes, 48u);
}

TEST_F(ViewTest, LayoutsComeBackInTheOrderOfTheAxes) {
  GraphBuilder builder;
  builder.Output(builder.Add(Unary{.kind = UnaryKind::kRelu}, {builder.Input("x", Shape{1, 2, 1, 3})}));
  std::ofstream file(root_ / "segments/0/graph.bin", std::ios::binary | std::ios::trunc);
  ASSERT_TRUE(EncodeGraph(builder.graph(), [&](std::span<const std::byte> bytes) -> Status {
                file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
                return {};
              }).ok());
  file.close();
  WriteText("segments/0/segment.json", R"({"inputs": [{"dtype": "float32", "shape": [1, 2, 1, 3], "layout": "nhwc"}],
                                           "outputs": [{"dtype": "float32", "shape": [1, 2, 1, 3], "layout": "dense"}]})");
  Write("runs/0-segment-0/input-0.npy", Numbers({1, 1, 3, 2}));
  Write("runs/0-segment-0/output-0.npy", Numbers({1, 2, 1, 3}));
  Result<View> view = ReadView(root_);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_THAT(view->runs[0].inputs[0].As<float>(), ::testing::ElementsAre(0, 2, 4, 1, 3, 5));
}

TEST_F(ViewTest, EventsAndQueriesMayBeMissing) {
  fs::remove_all(root_ / "queries");
  fs::remove(root_ / "events.jsonl");
  Result<View> view = ReadView(root_);
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(view->queries.empty() && view->events.empty());
}

TEST_F(ViewTest, ADirectoryThatIsNoRecord) {
  fs::remove_all(root_);
  ExpectRefused(root_.string(), "is not a record of a worker");
}

TEST_F(ViewTest, MissingFiles) {
  for (const char* path : {"segments/0/graph.bin", "segments/0/segment.json", "weights/7.npy", "runs/0-segment-0/input-0.npy",
                           "runs/0-segment-0/output-0.npy"}) {
    fs::rename(root_ / path, root_ / "aside");
    ExpectRefused(path);
    fs::rename(root_ / "aside", root_ / path);
  }
  EXPECT_TRUE(ReadView(root_).ok());
}

TEST_F(ViewTest, TruncatedFiles) {
  for (const char* path : {"segments/0/graph.bin", "segments/0/segment.json", "weights/7.npy", "runs/0-segment-0/input-0.npy",
                           "runs/0-segment-0/output-0.npy", "queries/0/input-0.npy"}) {
    fs::copy_file(root_ / path, root_ / "aside");
    Shorten(path);
    ExpectRefused(path);
    fs::remove(root_ / path);
    fs::rename(root_ / "aside", root_ / path);
  }
  EXPECT_TRUE(ReadView(root_).ok());
}

TEST_F(ViewTest, ARunOfAnotherSize) {
  Write("runs/0-segment-0/input-0.npy", Numbers({2, 4}));
  ExpectRefused("runs/0-segment-0/input-0.npy", "has not the size that segment.json says");
}

TEST_F(ViewTest, AWeightOfAnotherType) {
  Write("weights/7.npy", Numbers({3, 4}));
  ExpectRefused("segments/0", "weight 7 is float32[3, 4], the graph wants float32[4, 3]");
}

TEST_F(ViewTest, PortsThatAreNotTheGraphs) {
  auto with = [](std::string what, std::string by) {
    std::string text = kPorts;
    return text.replace(text.find(what), what.size(), by);
  };
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "segment.json"},
           {"{}", "inputs"},
           {R"({"inputs": 3, "outputs": []})", "segment.json"},
           {R"({"inputs": [], "outputs": []})", ""},
           {with("[2, 4]", "[2, 5]"), "output 0 is another in the graph"},
           {with("[2, 3]", "[2, -3]"), ""},
           {with("[2, 3]", "[99999999999999999999, 3]"), ""},
           {with("[2, 3]", "\"2, 3\""), "segment.json"},
           {with("float32", "float23"), "an unknown dtype: float23"},
           {with("float32", "int64"), "input 0 is another in the graph"},
           {with("dense", "curved"), "an unknown layout: curved"},
           {with("dense", "nhwc"), ""}}) {
    WriteText("segments/0/segment.json", text);
    ExpectRefused("segments/0", why);
  }
}

TEST_F(ViewTest, NamesThatAreNoNumbers) {
  for (const char* path : {"segments/first", "segments/1x", "segments/-1", "segments/00", "segments/99999999999999999999999",
                           "runs/x-segment-0", "queries/..0"}) {
    fs::create_directories(root_ / path);
    ExpectRefused(path, "is not named by a number");
    fs::remove_all(root_ / path);
  }
}

TEST_F(ViewTest, RunsOfSegmentsThatAreNotThere) {
  for (const char* path : {"runs/1-segment-1", "runs/1", "runs/1-segment-", "runs/1-segment-0x"}) {
    fs::create_directories(root_ / path);
    ExpectRefused(path, "a run of a segment that is not in the record");
    fs::remove_all(root_ / path);
  }
}

TEST_F(ViewTest, EventsThatAreNone) {
  for (const char* line : {"3\n", "{\n", "{\"event\": 7}\n", "{}\n"}) {
    WriteText("events.jsonl", line);
    ExpectRefused("events.jsonl");
  }
  WriteText("events.jsonl", "{\"event\": \"run\", \"number\": \"x\", \"size_bytes\": -1}\n");
  Result<View> view = ReadView(root_);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->events[0].number, 0u);
}

TEST_F(ViewTest, WhatIsNoFileIsNotWaitedFor) {
  fs::remove(root_ / "weights/7.npy");
  ASSERT_EQ(::mkfifo((root_ / "weights/7.npy").c_str(), 0600), 0);
  ExpectRefused("weights/7.npy", "not a regular file");
  fs::remove(root_ / "weights/7.npy");
  fs::create_symlink("/dev/zero", root_ / "weights/7.npy");
  ExpectRefused("weights/7.npy", "not a regular file");
  fs::remove(root_ / "weights/7.npy");
  fs::create_directory(root_ / "weights/7.npy");
  ExpectRefused("weights/7.npy");
}

TEST_F(ViewTest, AQueryIsWrittenAndReadBack) {
  OwnQuery own;
  own.inputs.push_back(Numbers({2, 3}));
  own.outputs.push_back(Numbers({2, 4}));
  ASSERT_TRUE(WriteOwnQuery(root_, 1, own).ok());
  Result<View> view = ReadView(root_);
  ASSERT_TRUE(view.ok());
  ASSERT_EQ(view->queries.size(), 2u);
  EXPECT_EQ(view->queries[1].inputs[0].As<float>()[5], 5);
  fs::remove_all(root_ / "queries");
  WriteText("queries", "in the way");
  EXPECT_THAT(WriteOwnQuery(root_, 1, own).error().message, HasSubstr("queries"));
}

}  // namespace
}  // namespace soter::audit
