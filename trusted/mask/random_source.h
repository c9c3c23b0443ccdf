#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace soter {

// RandomSource gives the random bytes from which masks and probes are drawn.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(std::span<std::byte> bytes) = 0;

  uint64_t NextU64();
  double NextUniform();                // in [0, 1), 53 bits
  double NextGaussian();               // mean 0, variance 1 (Box and Muller 1958)
  uint64_t NextBelow(uint64_t bound);  // uniform in [0, bound), bound > 0, by rejection
};

// MakeSystemRandom reads the operating system's CSPRNG (getrandom(2)), which inside a TEE is the CPU's own.
std::unique_ptr<RandomSource> MakeSystemRandom();

// MakeSeededRandom repeats the same sequence for the same seed. It hides nothing: for development builds only.
std::unique_ptr<RandomSource> MakeSeededRandom(uint64_t seed);

}  // namespace soter
