#include "trusted/engine/shared_processors.h"

#include <algorithm>
#include <thread>

namespace soter {
namespace {

// What a worker calls itself that computes on the CPU.
constexpr const char* kCpuBackend = "cpu";

}  // namespace

bool SharesProcessors(const AcceleratorInfo& info, const control::Settings& settings, uint32_t processors) {
  bool same_machine = info.backend == kCpuBackend && info.shares_memory;
  return same_machine && uint64_t{settings.threads} + settings.worker_threads > processors;
}

uint32_t ProcessorCount() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace soter
