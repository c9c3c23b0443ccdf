#pragma once

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

// A fuzz target that reads bytes must not allocate much more than it was given, whatever sizes the bytes claim. Under
// a sanitizer every allocation is seen; without one there is nothing to hook into, and a replay checks the rest.
extern "C" __attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void*, size_t), void (*freed)(const volatile void*));

namespace soter {

// AllocationLimit aborts the program, while it lives, when one allocation exceeds 64 MiB and 64 times the input.
class AllocationLimit {
 public:
  explicit AllocationLimit(size_t input_bytes) {
    static const bool installed = __sanitizer_install_malloc_and_free_hooks != nullptr &&
                                  __sanitizer_install_malloc_and_free_hooks(&Allocated, &Freed) != 0;
    if (installed) limit_bytes_ = (size_t{64} << 20) + 64 * input_bytes;
  }
  ~AllocationLimit() { limit_bytes_ = SIZE_MAX; }
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;

 private:
  static void Allocated(const volatile void*, size_t size_bytes) {
    if (size_bytes <= limit_bytes_) return;
    limit_bytes_ = SIZE_MAX;
    std::fprintf(stderr, "an allocation of %zu bytes is out of proportion to the input\n", size_bytes);
    std::abort();
  }
  static void Freed(const volatile void*) {}

  static inline std::atomic<size_t> limit_bytes_ = SIZE_MAX;
};

}  // namespace soter
