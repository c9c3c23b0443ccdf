#include "tools/bench/paper.h"

#include <algorithm>
#include <array>

namespace soter::bench {

namespace {

constexpr std::array<std::string_view, 6> kModels = {"mlp", "alexnet", "vgg19", "resnet152", "densenet121", "transformer"};

constexpr std::array<PaperBreakdown, 6> kSoter = {{{.19, .05, .01, .03, .28},
                                                   {1.65, .71, .18, .34, 2.88},
                                                   {25.38, 14.24, .83, 4.56, 45.01},
                                                   {92.18, 33.97, 25.98, 14.75, 153.88},
                                                   {41.65, 13.71, 5.6, 6.02, 62.97},
                                                   {439.52, 204.93, 41.52, 73.77, 759.74}}};
constexpr std::array<PaperBreakdown, 6> kAegisdnn = {{{.19, .07, .01, std::nullopt, .27},
                                                      {1.54, .67, .12, std::nullopt, 2.33},
                                                      {22.89, 19.96, .85, std::nullopt, 43.7},
                                                      {88.14, 52.3, 7.12, std::nullopt, 146.56},
                                                      {36.75, 20.07, 1.81, std::nullopt, 58.63},
                                                      {404.87, 198.64, 29.61, std::nullopt, 633.12}}};

constexpr std::array<double, 6> kSoterNormalised = {2.2, 3.2, 10.5, 13.3, 5.6, 13.6};
constexpr std::array<double, 6> kAegisdnnNormalised = {2.2, 2.6, 10.3, 12.6, 5.4, 11.3};
constexpr std::array<double, 6> kMlcapsuleNormalised = {2.7, 13.8, 24.7, 16.0, 7.1, 36.1};
constexpr double kEnnclaveOnVgg = 10.2;

size_t IndexOf(std::string_view model) {
  return static_cast<size_t>(std::find(kModels.begin(), kModels.end(), model) - kModels.begin());
}

}  // namespace

bool IsPaperModel(std::string_view model) { return IndexOf(model) < kModels.size(); }

std::optional<PaperBreakdown> PaperFor(std::string_view scheme, std::string_view model) {
  if (!IsPaperModel(model)) return std::nullopt;
  if (scheme == "soter") return kSoter[IndexOf(model)];
  if (scheme == "aegisdnn") return kAegisdnn[IndexOf(model)];
  return std::nullopt;
}

std::optional<double> PaperNormalised(std::string_view scheme, std::string_view model) {
  if (!IsPaperModel(model)) return std::nullopt;
  if (scheme == "soter") return kSoterNormalised[IndexOf(model)];
  if (scheme == "aegisdnn") return kAegisdnnNormalised[IndexOf(model)];
  if (scheme == "mlcapsule") return kMlcapsuleNormalised[IndexOf(model)];
  if (scheme == "ennclave" && model == "vgg19") return kEnnclaveOnVgg;
  return std::nullopt;
}

}  // namespace soter::bench
