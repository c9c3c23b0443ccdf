#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

struct evp_md_ctx_st;

namespace soter {

enum class HashAlgorithm { kSha256, kSha384, kSha512, kBlake2b512 };

constexpr size_t DigestBytes(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha256: return 32;
    case HashAlgorithm::kSha384: return 48;
    case HashAlgorithm::kSha512: return 64;
    case HashAlgorithm::kBlake2b512: return 64;
  }
  return 0;
}

namespace internal {
struct FreeHashContext {
  void operator()(evp_md_ctx_st* context) const;
};
}  // namespace internal

// Hasher computes one digest of a stream of bytes. FIPS 180-4; RFC 7693.
template <HashAlgorithm kAlgorithm>
class Hasher {
 public:
  using Digest = std::array<std::byte, DigestBytes(kAlgorithm)>;

  Hasher();
  void Update(std::span<const std::byte> bytes);
  Digest Finish() &&;  // the hasher is of no more use

 private:
  std::unique_ptr<evp_md_ctx_st, internal::FreeHashContext> context_;
};

using Sha256 = Hasher<HashAlgorithm::kSha256>;
using Sha384 = Hasher<HashAlgorithm::kSha384>;
using Sha512 = Hasher<HashAlgorithm::kSha512>;
using Blake2b512 = Hasher<HashAlgorithm::kBlake2b512>;

// Digest returns the digest of bytes that are all there: Digest<Sha256>(bytes).
template <typename H>
typename H::Digest Digest(std::span<const std::byte> bytes) {
  H hasher;
  hasher.Update(bytes);
  return std::move(hasher).Finish();
}

}  // namespace soter
