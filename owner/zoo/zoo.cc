#include "owner/zoo/zoo.h"

#include <array>

#include "owner/zoo/networks.h"

namespace soter {
namespace {

struct Network {
  std::string_view name;
  int64_t opset;
  void (*build)(ModelBuilder&);
};

// Opset 14 is the first with Trilu, which the Transformer's causal mask needs.
constexpr Network kNetworks[] = {
    {"mlp", 13, [](ModelBuilder& m) { BuildMlp(m, 784); }},
    {"mlp6400", 13, [](ModelBuilder& m) { BuildMlp(m, 80 * 80); }},
    {"densenet121", 13, BuildDenseNet121},
    {"transformer", 14, [](ModelBuilder& m) { BuildTransformer(m, {6, 512, 8, 2048}); }},
    {"resnet152", 13, BuildResNet152},
    {"alexnet", 13, BuildAlexNet},
    {"vgg19", 13, BuildVgg19},
    {"transformer-large", 14, [](ModelBuilder& m) { BuildTransformer(m, {24, 1024, 16, 4096}); }},
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kNetworks)> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kNetworks[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> ZooNames() { return kNames; }

Result<void> WriteZooModel(std::string_view name, const std::filesystem::path& path, uint64_t seed) {
  for (const Network& network : kNetworks) {
    if (network.name != name) continue;
    ModelBuilder model(std::string(name), network.opset, seed);
    network.build(model);
    return std::move(model).Write(path);
  }
  std::string known;
  for (std::string_view candidate : kNames) known += (known.empty() ? "" : ", ") + std::string(candidate);
  return InvalidArgument("no network is called '" + std::string(name) + "'; there are " + known);
}

}  // namespace soter
