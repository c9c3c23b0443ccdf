#include <gtest/gtest.h>

#include <optional>

#include "common/compute/program.h"
#include "common/compute/tuning_cache.h"
#include "common/graph/testing/graph_builder.h"

namespace soter::compute {
namespace {

Result<std::shared_ptr<const Tensor>> Zeros(const Initializer& initializer) {
  Tensor tensor = TRY(Tensor::Allocate(initializer.type));
  for (float& value : tensor.MutableAs<float>()) value = 0.0f;
  return std::make_shared<const Tensor>(std::move(tensor));
}

// TwoConvolutions is one over images of `extent` squared before one with four times its weights. What Winograd's
// algorithm gains for each is not measured but told, once for each extent.
class TwoConvolutions {
 public:
  TwoConvolutions(int64_t extent, uint32_t small_gain_us, uint32_t large_gain_us) {
    Shape x{1, 32, extent, extent}, middle{1, 64, extent, extent}, y{1, 128, extent, extent};
    Tell(x, {64, 32, 3, 3}, middle, small_gain_us);
    Tell(middle, {128, 64, 3, 3}, y, large_gain_us);
    GraphBuilder builder;
    Conv conv{.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}};
    ValueId first = builder.Add(conv, {builder.Input("x", x), builder.Weight({64, 32, 3, 3})});
    builder.Output(builder.Add(conv, {first, builder.Weight({128, 64, 3, 3})}), "y");
    graph_ = builder.Bind({x}).value();
  }

  // What the weights take beyond the model's own when they may take `spare_bytes`, from which it is taken off.
  size_t ExtraBytes(size_t& spare_bytes) const {
    Program program = Program::Compile(*graph_, Zeros, {.threads = 1, .spare_bytes = &spare_bytes}).value();
    return program.weight_bytes() - (size_t{64} * 32 + size_t{128} * 64) * 9 * sizeof(float);
  }

 private:
  static void Tell(const Shape& x, const Shape& weight, const Shape& y, uint32_t gain_us) {
    std::string description = "conv3x3 " + ShapeString(x) + ShapeString(weight) + ShapeString(y) + " threads 1";
    TuningCache::OfProcess().Choose(description, 2, [&] { return TunedChoice{1, gain_us}; });
  }

  std::optional<StaticGraph> graph_;
};

// Extra returns what is packed beyond the model's own weights within `spare` bytes.
size_t Extra(const TwoConvolutions& network, size_t spare) {
  const size_t before = spare, extra = network.ExtraBytes(spare);
  EXPECT_EQ(before - spare, extra);
  return extra;
}

TEST(ConvChoice, SpareBytesGoWhereTheySaveTheMostTime) {
  TwoConvolutions large_first(40, /*small_gain_us=*/1, /*large_gain_us=*/1'000'000);
  const size_t both = Extra(large_first, SIZE_MAX);
  if (both == 0) GTEST_SKIP() << "this processor has no Winograd convolution";
  const size_t large = Extra(large_first, both - 1);
  EXPECT_GT(large, both / 2);
  EXPECT_EQ(Extra(large_first, large - 1), both - large) << "what does not fit leaves room for the next";
  EXPECT_EQ(Extra(large_first, 0), 0u);

  TwoConvolutions small_first(44, /*small_gain_us=*/1'000'000, /*large_gain_us=*/1);
  const size_t small = Extra(small_first, Extra(small_first, SIZE_MAX) - 1);
  EXPECT_GT(small, 0u);
  EXPECT_LT(small, Extra(small_first, SIZE_MAX) / 2);
}

}  // namespace
}  // namespace soter::compute
