// The program as it is built for owners, without what is for development alone (preset `enclave`).
#undef SOTER_DEVELOPMENT
#include "trusted/engine/development_only.cc"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace soter {
namespace {

TEST(BuildForOwners, RefusesRepeatableSecrets) {
  EXPECT_FALSE(IsDevelopmentBuild());
  control::Settings settings;
  EXPECT_TRUE(RefuseDevelopmentOnly(settings).ok());
  settings.seed = 1;
  EXPECT_EQ(RefuseDevelopmentOnly(settings).error().code, ErrorCode::kInvalidArgument);
  settings.seed.reset();
  settings.force_unit_scales = true;
  EXPECT_EQ(RefuseDevelopmentOnly(settings).error().code, ErrorCode::kInvalidArgument);
}

// Tests run in the root of the source tree.
TEST(BuildForOwners, IsWhatThePresetMakes) {
  nlohmann::json presets = nlohmann::json::parse(std::ifstream("CMakePresets.json"));
  bool found = false;
  for (const auto& preset : presets["configurePresets"])
    if (preset["name"] == "enclave") found = preset["cacheVariables"]["SOTER_DEVELOPMENT"] == "OFF";
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace soter
