#include "tools/cli/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tools/cli/child_process.h"
#include "tools/cli/files.h"
#include "tools/cli/statistics.h"
#include "tools/cli/text.h"

namespace soter {
namespace {

using ::testing::HasSubstr;

// TwoInputs wants tokens int64[batch, sequence] and image float32[batch, 4].
Graph TwoInputs() {
  Graph graph;
  graph.symbols = {"batch", "sequence"};
  graph.inputs.push_back({graph.AddValue("tokens"), DType::kInt64, {Dim::Symbol(0), Dim::Symbol(1)}});
  graph.inputs.push_back({graph.AddValue("image"), DType::kFloat32, {Dim::Symbol(0), Dim::Constant(4)}});
  return graph;
}

class InputsTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const Tensor& tensor) {
    std::filesystem::path path = scratch_->path() / name;
    EXPECT_TRUE(files_.WriteNpy(path, tensor.view()).ok());
    EXPECT_TRUE(files_.Commit().ok());
    return path.string();
  }
  std::string ErrorOf(const InputOptions& options) {
    auto result = ChooseInputs(graph_, options);
    EXPECT_FALSE(result.ok());
    return result.ok() ? "" : result.error().message;
  }

  Graph graph_ = TwoInputs();
  std::unique_ptr<ScratchDirectory> scratch_ = ScratchDirectory::Make().value();
  OutputFiles files_;
};

TEST_F(InputsTest, RandomFollowsDimsAndSeed) {
  InputOptions options{.random = true, .dims = {"batch=2", "sequence=3"}};
  std::vector<Tensor> first = ChooseInputs(graph_, options).value();
  EXPECT_EQ(first[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(first[1].shape(), (Shape{2, 4}));
  for (int64_t token : first[0].As<int64_t>()) EXPECT_TRUE(token >= 0 && token <= 9);
  std::vector<Tensor> again = ChooseInputs(graph_, options).value();
  EXPECT_THAT(again[1].As<float>(), testing::ElementsAreArray(first[1].As<float>()));
  options.random_seed = 2;
  EXPECT_NE(ChooseInputs(graph_, options).value()[1].As<float>()[0], first[1].As<float>()[0]);
}

TEST_F(InputsTest, AFileFixesTheSymbolsOfTheOthers) {
  std::string image = Write("image.npy", Tensor::FromValues<float>({3, 4}, std::vector<float>(12, 1.0f)));
  std::vector<Tensor> chosen = ChooseInputs(graph_, {.files = {"image=" + image}, .random = true}).value();
  EXPECT_EQ(chosen[0].shape(), (Shape{3, 1}));
}

TEST_F(InputsTest, FilesThatDisagreeOnASymbol) {
  std::string image = Write("image.npy", Tensor::FromValues<float>({3, 4}, std::vector<float>(12, 1.0f)));
  std::string tokens = Write("tokens.npy", Tensor::FromValues<int64_t>({2, 1}, {1, 2}));
  EXPECT_THAT(ErrorOf({.files = {"image=" + image, "tokens=" + tokens}}), HasSubstr("int64[2, 1]"));
}

TEST_F(InputsTest, MissingInputIsNamed) { EXPECT_THAT(ErrorOf({}), HasSubstr("\"tokens\" is missing")); }

TEST_F(InputsTest, ANameIsNeededWhereThereAreTwo) {
  EXPECT_THAT(ErrorOf({.files = {"image.npy"}}),
              HasSubstr("tokens: int64[batch, sequence], image: float32[batch, 4]"));
}

TEST_F(InputsTest, NaN) {
  std::string image = Write("image.npy", Tensor::FromValues<float>({1, 4}, {0, 0, NAN, 0}));
  EXPECT_THAT(ErrorOf({.files = {"image=" + image}, .random = true}), HasSubstr("element 2"));
}

TEST_F(InputsTest, BadDims) {
  for (const char* dim : {"batch", "batch=", "batch=0", "batch=-1", "batch=x", "batch=2x", "depth=2", "=3"}) {
    EXPECT_THAT(ErrorOf({.random = true, .dims = {dim}}), HasSubstr("--dim")) << dim;
  }
}

TEST(Statistics, PartsAreThoseOfTheMedianRepeat) {
  std::vector<control::Latency> repeats;
  for (double total : {5.0, 1.0, 3.0, 2.0, 100.0}) repeats.push_back({.trusted = total - 0.5, .total = total});
  LatencySummary summary = Summarise(repeats);
  EXPECT_EQ(summary.median, 3.0);
  EXPECT_EQ(summary.parts.trusted, 2.5);
  EXPECT_EQ(summary.p10, 1.0);
  EXPECT_EQ(summary.p90, 100.0);
}

TEST(Statistics, TopIsOfTheFirstItem) {
  Tensor tensor = Tensor::FromValues<float>({2, 6}, {1, 9, 3, 9, 5, 0, 99, 99, 99, 99, 99, 99});
  std::vector<TopEntry> top = TopEntries(tensor);
  ASSERT_EQ(top.size(), 5u);
  EXPECT_EQ(top[0].index, 1u);
  EXPECT_EQ(top[1].index, 3u);
  EXPECT_EQ(top[4].value, 1.0);
  EXPECT_TRUE(TopEntries(Tensor::FromValues<float>({0, 6}, std::initializer_list<float>{})).empty());
}

TEST(Text, TerminalSafe) {
  EXPECT_EQ(TerminalSafe("a\033[2Jb\nc\n", Lines::kJoin), "a?[2Jb c");
  EXPECT_EQ(TerminalSafe("a\nb", Lines::kKeep), "a\nb");
}

TEST(Text, Units) {
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1500), "1.50 kB");
  EXPECT_EQ(FormatBytes(574'000'000), "574.0 MB");
}

}  // namespace
}  // namespace soter
