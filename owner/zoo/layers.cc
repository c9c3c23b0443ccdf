#include "owner/zoo/networks.h"

namespace soter {

namespace {
constexpr Spread kBias = {0.0f, 0.05f};
using Ints = std::vector<int64_t>;
}  // namespace

std::string AddConv(ModelBuilder& model, const std::string& name, const std::string& x, ConvSize size, bool bias) {
  const Spread spread = Spread::He(size.in * size.kernel * size.kernel);
  std::vector<std::string> inputs = {
      x, model.Weight(name + ".weight", {size.out, size.in, size.kernel, size.kernel}, spread)};
  if (bias) inputs.push_back(model.Weight(name + ".bias", {size.out}, kBias));
  return model.Node("Conv", name, inputs,
                    {{"dilations", Ints{1, 1}},
                     {"group", int64_t{1}},
                     {"kernel_shape", Ints{size.kernel, size.kernel}},
                     {"pads", Ints(4, size.pad)},
                     {"strides", Ints{size.stride, size.stride}}});
}

std::string AddBatchNorm(ModelBuilder& model, const std::string& name, const std::string& x, int64_t channels,
                         float gamma) {
  const Shape shape = {channels};
  return model.Node("BatchNormalization", name,
                    {x, model.Weight(name + ".weight", shape, {gamma, 0.25f * gamma}),
                     model.Weight(name + ".bias", shape, kBias),
                     model.Weight(name + ".running_mean", shape, {0.0f, 0.1f}),
                     model.Weight(name + ".running_var", shape, {1.0f, 0.25f})},
                    {{"epsilon", 1e-5f}, {"momentum", 0.9f}});
}

std::string AddMaxPool(ModelBuilder& model, const std::string& name, const std::string& x, int64_t kernel,
                       int64_t stride, int64_t pad) {
  return model.Node("MaxPool", name, {x},
                    {{"kernel_shape", Ints{kernel, kernel}},
                     {"pads", Ints(4, pad)},
                     {"strides", Ints{stride, stride}}});
}

std::string AddGemm(ModelBuilder& model, const std::string& name, const std::string& x, int64_t in, int64_t out,
                    Spread spread) {
  const std::string weight = model.Weight(name + ".weight", {out, in}, spread);
  return model.Node("Gemm", name, {x, weight, model.Weight(name + ".bias", {out}, kBias)},
                    {{"alpha", 1.0f}, {"beta", 1.0f}, {"transB", int64_t{1}}});
}

}  // namespace soter
