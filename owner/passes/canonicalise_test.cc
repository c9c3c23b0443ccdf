#include "owner/passes/canonicalise.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "owner/onnx/import.h"
#include "owner/zoo/zoo.h"

namespace soter {
namespace {

// How often each operator stands in a zoo network after the passes, each of which must leave a valid graph.
std::map<std::string, int> CountOperators(const char* network) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("soter-canonicalise-" + std::to_string(::getpid()) + ".onnx");
  EXPECT_TRUE(WriteZooModel(network, path, 3).ok());
  Result<Graph> imported = ImportOnnx(path);
  std::filesystem::remove(path);
  if (!imported.ok()) {
    ADD_FAILURE() << imported.error().message;
    return {};
  }
  const Result<Graph> graph = Canonicalise(std::move(*imported), [](const char* pass, const Graph& after) {
    const Result<ValidatedGraph> valid = ValidatedGraph::Validate(after);
    EXPECT_TRUE(valid.ok()) << pass << ": " << valid.error().message;
  });
  std::map<std::string, int> counts;
  if (!graph.ok()) {
    ADD_FAILURE() << graph.error().message;
    return counts;
  }
  for (const Node& node : graph->nodes) ++counts[OpName(node.op)];
  return counts;
}

TEST(Canonicalise, FoldsEveryBatchNormOfResNet) {
  const auto counts = CountOperators("resnet152");
  EXPECT_EQ(counts.count("ChannelAffine"), 0u);
  EXPECT_EQ(counts.at("Conv"), 155);
  EXPECT_EQ(counts.at("Add"), 50);
}

// Each of its 121 norms but the first and the 58 between two convolutions of a layer follows a Concat or a pool.
TEST(Canonicalise, KeepsTheNormsOfDenseNetThatFollowAConcat) {
  const auto counts = CountOperators("densenet121");
  EXPECT_EQ(counts.at("Conv"), 120);
  EXPECT_EQ(counts.at("ChannelAffine"), 121 - 1 - 58);
}

TEST(Canonicalise, FindsTheTransformersNormsAndLinears) {
  const auto counts = CountOperators("transformer");
  EXPECT_EQ(counts.at("LayerNorm"), 6 * 2 + 6 * 3 + 2);
  EXPECT_EQ(counts.at("Linear"), 6 * 6 + 6 * 10);
  EXPECT_EQ(counts.at("MatMul"), 2 * 18);
  EXPECT_EQ(counts.count("Sqrt"), 0u);
  EXPECT_EQ(counts.count("Div"), 0u) << "the scale of each attention";
}

}  // namespace
}  // namespace soter
