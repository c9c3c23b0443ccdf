// Networks whose branches meet in a sum or a concatenation: ResNet152, DenseNet121. BatchNormalization is a node
// of its own, as exporters write it when they do not fold it.
#include "owner/zoo/networks.h"

namespace soter {
namespace {

using Ints = std::vector<int64_t>;

// What both begin with: a quarter of the image's extent, 64 channels.
std::string AddStem(ModelBuilder& model, const std::string& conv, const std::string& norm) {
  std::string x = model.Input("image", {"batch", 3, 224, 224});
  x = AddConv(model, conv, x, {3, 64, 7, 2, 3}, /*bias=*/false);
  x = model.Node("Relu", norm + ".relu", {AddBatchNorm(model, norm, x, 64)});
  return AddMaxPool(model, "stem.pool", x, 3, 2, 1);
}

void AddHead(ModelBuilder& model, const std::string& name, std::string x, int64_t channels) {
  x = model.Node("GlobalAveragePool", "global_pool", {x});
  x = model.Node("Flatten", "flatten", {x}, {{"axis", int64_t{1}}});
  model.Output(AddGemm(model, name, x, channels, 1000, Spread::Xavier(channels, 1000)), {"batch", 1000});
}

struct Bottleneck {
  int64_t in, width, stride;
  int64_t out() const { return 4 * width; }
};

std::string AddBottleneck(ModelBuilder& model, const std::string& name, const std::string& x, Bottleneck b) {
  const auto conv_norm = [&](const std::string& index, const std::string& from, ConvSize size, float gamma) {
    const std::string y = AddConv(model, name + ".conv" + index, from, size, /*bias=*/false);
    return AddBatchNorm(model, name + ".bn" + index, y, size.out, gamma);
  };
  std::string y = model.Node("Relu", name + ".relu1", {conv_norm("1", x, {b.in, b.width, 1}, 1.0f)});
  y = model.Node("Relu", name + ".relu2", {conv_norm("2", y, {b.width, b.width, 3, b.stride, 1}, 1.0f)});
  // With random weights, 50 undamped branches grow until float32 itself errs by 3e-4.
  y = conv_norm("3", y, {b.width, b.out(), 1}, 0.2f);
  std::string shortcut = x;
  if (b.in != b.out()) {
    shortcut = AddConv(model, name + ".downsample.0", x, {b.in, b.out(), 1, b.stride}, /*bias=*/false);
    // He's variance is for an input of ReLU followed by another; the sum must keep the shortcut's size.
    shortcut = AddBatchNorm(model, name + ".downsample.1", shortcut, b.out(), 0.7f);
  }
  return model.Node("Relu", name + ".relu3", {model.Node("Add", name + ".add", {y, shortcut})});
}

// norm, ReLU, convolution: DenseNet's order, in which the norm cannot be folded into a convolution before it.
std::string AddNormReluConv(ModelBuilder& model, const std::string& norm, const std::string& conv,
                            const std::string& x, ConvSize size) {
  const std::string y = model.Node("Relu", norm + ".relu", {AddBatchNorm(model, norm, x, size.in)});
  return AddConv(model, conv, y, size, /*bias=*/false);
}

}  // namespace

void BuildResNet152(ModelBuilder& model) {
  constexpr int64_t kBlocks[] = {3, 8, 36, 3};
  std::string x = AddStem(model, "conv1", "bn1");
  int64_t channels = 64;
  for (size_t stage = 0; stage < std::size(kBlocks); ++stage) {
    for (int64_t i = 0; i < kBlocks[stage]; ++i) {
      const Bottleneck block{channels, int64_t{64} << stage, stage > 0 && i == 0 ? 2 : 1};
      x = AddBottleneck(model, "layer" + std::to_string(stage + 1) + "." + std::to_string(i), x, block);
      channels = block.out();
    }
  }
  AddHead(model, "fc", x, channels);
}

void BuildDenseNet121(ModelBuilder& model) {
  constexpr int64_t kLayers[] = {6, 12, 24, 16}, kGrowth = 32, kBottleneck = 4 * kGrowth;
  std::string x = AddStem(model, "features.conv0", "features.norm0");
  int64_t channels = 64;
  for (size_t block = 0; block < std::size(kLayers); ++block) {
    const std::string block_name = "features.denseblock" + std::to_string(block + 1);
    for (int64_t i = 0; i < kLayers[block]; ++i) {
      const std::string name = block_name + ".denselayer" + std::to_string(i + 1);
      std::string y = AddNormReluConv(model, name + ".norm1", name + ".conv1", x, {channels, kBottleneck, 1});
      y = AddNormReluConv(model, name + ".norm2", name + ".conv2", y, {kBottleneck, kGrowth, 3, 1, 1});
      x = model.Node("Concat", name + ".concat", {x, y}, {{"axis", int64_t{1}}});
      channels += kGrowth;
    }
    if (block + 1 == std::size(kLayers)) break;
    const std::string name = "features.transition" + std::to_string(block + 1);
    x = AddNormReluConv(model, name + ".norm", name + ".conv", x, {channels, channels / 2, 1});
    channels /= 2;
    x = model.Node("AveragePool", name + ".pool", {x}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  }
  x = model.Node("Relu", "features.norm5.relu", {AddBatchNorm(model, "features.norm5", x, channels)});
  AddHead(model, "classifier", x, channels);
}

}  // namespace soter
