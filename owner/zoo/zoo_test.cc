#include "owner/zoo/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/graph/bind.h"
#include "owner/onnx/import.h"
#include "owner/zoo/model_builder.h"

namespace soter {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ZooTest : public ::testing::Test {
 protected:
  ZooTest() {
    std::string name = (fs::temp_directory_path() / "soter-zoo-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~ZooTest() override { fs::remove_all(directory_); }

  // Writes, imports and binds a network, and returns its number of parameters.
  int64_t ParameterCount(std::string_view name, const std::vector<Shape>& inputs, const Shape& expected_output) {
    const fs::path path = directory_ / "m.onnx";
    Result<void> written = WriteZooModel(name, path, 7);
    EXPECT_TRUE(written.ok()) << written.error().message;
    Result<Graph> graph = ImportOnnx(path);
    if (!graph.ok()) {
      ADD_FAILURE() << graph.error().message;
      return 0;
    }
    int64_t count = 0;
    for (const Initializer& initializer : graph->initializers) {
      if (initializer.type.dtype != DType::kFloat32 || initializer.type.shape.empty()) continue;
      count += ElementCount(initializer.type.shape).value();
    }
    Result<ValidatedGraph> valid = ValidatedGraph::Validate(std::move(*graph));
    EXPECT_TRUE(valid.ok()) << valid.error().message;
    Result<StaticGraph> bound = Bind(*valid, inputs);
    EXPECT_TRUE(bound.ok()) << bound.error().message;
    if (!bound.ok()) return 0;
    EXPECT_EQ(bound->type(bound->graph().outputs[0]).shape, expected_output);
    return count;
  }

  fs::path directory_;
};

const Shape kImage = {2, 3, 224, 224};

// The counts are torchvision's, with a batch norm's four parameters per channel imported as two.
TEST_F(ZooTest, Mlp) {
  EXPECT_EQ(ParameterCount("mlp", {{3, 784}}, {3, 10}),
            784 * 4096 + 4096 + 4096 * 512 + 512 + 512 * 128 + 128 + 128 * 10 + 10);
}
TEST_F(ZooTest, Mlp6400) { EXPECT_GT(ParameterCount("mlp6400", {{1, 6400}}, {1, 10}), 6400 * 4096); }
TEST_F(ZooTest, AlexNet) { EXPECT_EQ(ParameterCount("alexnet", {kImage}, {2, 1000}), 61'100'840); }
TEST_F(ZooTest, Vgg19) { EXPECT_EQ(ParameterCount("vgg19", {kImage}, {2, 1000}), 143'667'240); }
TEST_F(ZooTest, ResNet152) { EXPECT_EQ(ParameterCount("resnet152", {kImage}, {2, 1000}), 60'192'808); }
TEST_F(ZooTest, DenseNet121) { EXPECT_EQ(ParameterCount("densenet121", {kImage}, {2, 1000}), 7'978'856); }
// nn.Transformer(d_model=512) of PyTorch has 44,140,544 parameters.
TEST_F(ZooTest, Transformer) {
  EXPECT_EQ(ParameterCount("transformer", {{2, 9, 512}, {2, 5, 512}}, {2, 5, 512}), 44'140'544);
}

TEST_F(ZooTest, TheSameSeedGivesTheSameFileAndAnotherSeedAnother) {
  const auto read = [](const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  ASSERT_TRUE(WriteZooModel("densenet121", directory_ / "a", 1).ok());
  ASSERT_TRUE(WriteZooModel("densenet121", directory_ / "b", 1).ok());
  ASSERT_TRUE(WriteZooModel("densenet121", directory_ / "c", 2).ok());
  EXPECT_TRUE(read(directory_ / "a") == read(directory_ / "b"));
  EXPECT_FALSE(read(directory_ / "a") == read(directory_ / "c"));
}

TEST_F(ZooTest, UnknownNameListsTheKnownOnes) {
  const Result<void> written = WriteZooModel("lenet", directory_ / "m.onnx", 1);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kInvalidArgument);
  for (std::string_view name : ZooNames()) EXPECT_THAT(written.error().message, HasSubstr(std::string(name)));
}

TEST_F(ZooTest, AFailedWriteLeavesNothingBehind) {
  const Result<void> missing = WriteZooModel("mlp", directory_ / "absent" / "m.onnx", 1);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalidArgument);
  fs::create_directory(directory_ / "m.onnx");  // a name that no file can take
  EXPECT_FALSE(WriteZooModel("mlp", directory_ / "m.onnx", 1).ok());
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1);
}

// Published values pin the generator: whoever has the seed has the model, on any machine.
TEST(FillWeights, DrawsTheSameBitsEverywhereAndFromAnyCounter) {
  std::vector<float> all(7), tail(3);
  FillWeights(42, 0, {0.0f, 1.0f}, all);
  FillWeights(42, 4, {0.0f, 1.0f}, tail);
  EXPECT_THAT(tail, testing::ElementsAre(all[4], all[5], all[6]));
}

TEST(FillWeights, HasTheDeviationThatWasAskedFor) {
  std::vector<float> values(100'000);
  FillWeights(1, 0, Spread::OfDeviation(0.5), values);
  double sum = 0, squares = 0;
  for (float value : values) sum += value, squares += value * value;
  const double count = static_cast<double>(values.size());
  EXPECT_NEAR(sum / count, 0.0, 0.01);
  EXPECT_NEAR(std::sqrt(squares / count), 0.5, 0.01);
}

}  // namespace
}  // namespace soter
