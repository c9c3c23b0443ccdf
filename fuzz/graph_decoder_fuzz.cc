#include <cstddef>
#include <cstdint>
#include <span>

#include "common/graph/testing/exercise.h"
#include "fuzz/allocation_limit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::AllocationLimit limit(size);
  soter::ExerciseDecoder(std::as_bytes(std::span(data, size)));
  return 0;
}
