#include "trusted/mask/random_source.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numbers>

#include "common/base/check.h"
#include "common/base/secret.h"

namespace soter {
namespace {

void FillFromSystem(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0, "the system has no random numbers");  // never go on with a predictable mask
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

// Reads ahead, since a system call for every number would take seconds for one large tensor. A byte is handed out
// once and wiped from the pool at once, so what was drawn cannot be found there later.
class SystemRandom : public RandomSource {
 public:
  ~SystemRandom() override { Wipe(pool_); }
  void Fill(std::span<std::byte> bytes) override {
    if (bytes.size() > pool_.size()) return FillFromSystem(bytes);
    if (bytes.size() > pool_.size() - used_) {
      FillFromSystem(pool_);
      used_ = 0;
    }
    std::memcpy(bytes.data(), pool_.data() + used_, bytes.size());
    Wipe(std::span(pool_).subspan(used_, bytes.size()));
    used_ += bytes.size();
  }

 private:
  std::array<std::byte, 4096> pool_{};
  size_t used_ = 4096;
};

// SplitMix64 (Steele, Lea, Flood 2014).
class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  void Fill(std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      uint64_t word = Step();
      size_t size = std::min(bytes.size(), sizeof(word));
      std::memcpy(bytes.data(), &word, size);
      bytes = bytes.subspan(size);
    }
  }

 private:
  uint64_t Step() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

}  // namespace

uint64_t RandomSource::NextU64() {
  uint64_t word;
  Fill(std::as_writable_bytes(std::span(&word, 1)));
  return word;
}

double RandomSource::NextUniform() { return static_cast<double>(NextU64() >> 11) * 0x1p-53; }

double RandomSource::NextGaussian() {
  double radius = std::sqrt(-2.0 * std::log(1.0 - NextUniform()));
  return radius * std::cos(2.0 * std::numbers::pi * NextUniform());
}

uint64_t RandomSource::NextBelow(uint64_t bound) {
  CHECK(bound > 0, "nothing is below zero");
  uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  uint64_t word;
  do word = NextU64(); while (word >= limit);
  return word % bound;
}

std::unique_ptr<RandomSource> MakeSystemRandom() { return std::make_unique<SystemRandom>(); }
std::unique_ptr<RandomSource> MakeSeededRandom(uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

}  // namespace soter
