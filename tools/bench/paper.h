#pragma once

#include <optional>
#include <string_view>

// The figures of the SOTER paper (USENIX ATC 2022), on a Xeon E3-1280 v6 under SGX and an RTX 2080 Ti, batch 1.
namespace soter::bench {

// PaperBreakdown is a row of table 3 or 4, in milliseconds; switch is the kernel switch.
struct PaperBreakdown {
  double trusted, accelerator, switching;
  std::optional<double> check;
  double total;
};

// PaperFor returns what the paper gives for `scheme` (soter or aegisdnn) on the zoo's network `model`.
std::optional<PaperBreakdown> PaperFor(std::string_view scheme, std::string_view model);

// PaperNormalised is figure 1: latency by that of insecure inference on the GPU.
std::optional<double> PaperNormalised(std::string_view scheme, std::string_view model);

// IsPaperModel: one of the six networks that the paper measures.
bool IsPaperModel(std::string_view model);

}  // namespace soter::bench
