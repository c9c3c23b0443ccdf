#include <cstddef>
#include <cstdint>
#include <span>

#include "common/graph/testing/exercise.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::ExerciseDecoder(std::as_bytes(std::span(data, size)));
  return 0;
}
