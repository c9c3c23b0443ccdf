#include "tools/cli/worker_choice.h"

#include <unistd.h>

#include <charconv>

#include "common/wire/address.h"
#include "untrusted/backend/module.h"

namespace soter {

namespace {

constexpr std::string_view kCuda = "cuda";

// DeviceOf reads the index in "cuda:1"; nothing where the text is something else.
std::optional<uint32_t> DeviceOf(std::string_view option) {
  if (option == kCuda) return 0;
  if (!option.starts_with("cuda:")) return std::nullopt;
  std::string_view digits = option.substr(kCuda.size() + 1);
  uint32_t device = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), device);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return device;
}

}  // namespace

bool HasGpu() { return ::access("/dev/nvidiactl", R_OK | W_OK) == 0; }

bool BuiltWithCuda() { return HasCudaModule(); }

Result<WorkerChoice> ChooseWorker(const std::string& option) {
  using control::WorkerKind;
  if (option == "auto") {
    if (HasGpu() && BuiltWithCuda()) return WorkerChoice{.backend = "auto", .kind = WorkerKind::kGpu};
    return WorkerChoice{.backend = "cpu"};
  }
  if (option == "cpu") return WorkerChoice{.backend = "cpu"};
  if (std::optional<uint32_t> device = DeviceOf(option)) {
    if (BuiltWithCuda()) return WorkerChoice{.backend = "cuda", .device = *device, .kind = WorkerKind::kGpu};
    return Unavailable("--worker " + option + ": this build has no CUDA accelerator; scripts/build cuda makes one");
  }
  Result<wire::Address> address = wire::ParseAddress(option);
  if (!address.ok()) return InvalidArgument("--worker " + option + ": give auto, cpu, cuda, cuda:N, unix:PATH or HOST:PORT");
  return WorkerChoice{.address = option};
}

}  // namespace soter
