// Networks without branches: MLP, AlexNet, VGG19.
#include "owner/zoo/networks.h"

namespace soter {
namespace {

// A fully connected classifier: ReLU between the layers, none after the last one.
std::string AddClassifier(ModelBuilder& model, const std::string& prefix, std::string x,
                          const std::vector<int64_t>& widths) {
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    const bool last = i + 2 == widths.size();
    const std::string name = prefix + "." + std::to_string(i);
    const Spread spread = last ? Spread::Xavier(widths[i], widths[i + 1]) : Spread::He(widths[i]);
    x = AddGemm(model, name, x, widths[i], widths[i + 1], spread);
    if (!last) x = model.Node("Relu", name + ".relu", {x});
  }
  return x;
}

std::string AddConvRelu(ModelBuilder& model, const std::string& name, const std::string& x, ConvSize size) {
  return model.Node("Relu", name + ".relu", {AddConv(model, name, x, size, /*bias=*/true)});
}

std::string Image(ModelBuilder& model) { return model.Input("image", {"batch", 3, 224, 224}); }

std::string AddFlatten(ModelBuilder& model, const std::string& x) {
  return model.Node("Flatten", "flatten", {x}, {{"axis", int64_t{1}}});
}

}  // namespace

void BuildMlp(ModelBuilder& model, int64_t input_size) {
  const std::string x = model.Input("x", {"batch", input_size});
  model.Output(AddClassifier(model, "layers", x, {input_size, 4096, 512, 128, 10}), {"batch", 10});
}

void BuildAlexNet(ModelBuilder& model) {
  std::string x = AddConvRelu(model, "features.0", Image(model), {3, 64, 11, 4, 2});
  x = AddMaxPool(model, "features.2", x, 3, 2);
  x = AddConvRelu(model, "features.3", x, {64, 192, 5, 1, 2});
  x = AddMaxPool(model, "features.5", x, 3, 2);
  x = AddConvRelu(model, "features.6", x, {192, 384, 3, 1, 1});
  x = AddConvRelu(model, "features.8", x, {384, 256, 3, 1, 1});
  x = AddConvRelu(model, "features.10", x, {256, 256, 3, 1, 1});
  x = AddFlatten(model, AddMaxPool(model, "features.12", x, 3, 2));
  model.Output(AddClassifier(model, "classifier", x, {256 * 6 * 6, 4096, 4096, 1000}), {"batch", 1000});
}

void BuildVgg19(ModelBuilder& model) {
  constexpr int64_t kConvs[] = {2, 2, 4, 4, 4}, kWidths[] = {64, 128, 256, 512, 512};
  std::string x = Image(model);
  int64_t channels = 3;
  for (size_t stage = 0; stage < std::size(kConvs); ++stage) {
    const std::string name = "features." + std::to_string(stage);
    for (int64_t i = 0; i < kConvs[stage]; ++i) {
      x = AddConvRelu(model, name + "." + std::to_string(i), x, {channels, kWidths[stage], 3, 1, 1});
      channels = kWidths[stage];
    }
    x = AddMaxPool(model, name + ".pool", x, 2, 2);
  }
  x = AddFlatten(model, x);
  model.Output(AddClassifier(model, "classifier", x, {512 * 7 * 7, 4096, 4096, 1000}), {"batch", 1000});
}

}  // namespace soter
