#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "common/base/result.h"
#include "common/base/secret.h"

struct evp_cipher_ctx_st;

// Authenticated encryption with a 32-byte key, a 12-byte nonce and a 16-byte tag.
// Both come from OpenSSL, three times as fast as libsodium where measured (bench/seal_bench.cc).
namespace soter {

enum class AeadAlgorithm { kChaCha20Poly1305, kAes256Gcm };  // RFC 8439; NIST SP 800-38D

using AeadKey = Secret<std::array<std::byte, 32>>;
using AeadNonce = std::array<std::byte, 12>;
inline constexpr size_t kAeadTagBytes = 16;

namespace internal {
struct FreeCipherContext {
  void operator()(evp_cipher_ctx_st* context) const;
};
}  // namespace internal

// Aead encrypts and decrypts under one key. A nonce must never serve twice with one key.
template <AeadAlgorithm kAlgorithm>
class Aead {
 public:
  explicit Aead(const AeadKey& key);

  // Seal writes ciphertext and tag: out.size() is plaintext.size() + kAeadTagBytes.
  void Seal(const AeadNonce& nonce, std::span<const std::byte> associated, std::span<const std::byte> plaintext,
            std::span<std::byte> out);

  // Open is its inverse: out.size() + kAeadTagBytes is sealed.size(). On an error `out` is wiped.
  // Errors: kIntegrity (another key or nonce, or changed bytes).
  Status Open(const AeadNonce& nonce, std::span<const std::byte> associated, std::span<const std::byte> sealed,
              std::span<std::byte> out);

 private:
  std::unique_ptr<evp_cipher_ctx_st, internal::FreeCipherContext> seal_;
  std::unique_ptr<evp_cipher_ctx_st, internal::FreeCipherContext> open_;
};

using ChaCha20Poly1305 = Aead<AeadAlgorithm::kChaCha20Poly1305>;
using Aes256Gcm = Aead<AeadAlgorithm::kAes256Gcm>;

}  // namespace soter
