#include "trusted/crypto/ed25519.h"

#include <sodium.h>

#include "common/base/check.h"

namespace soter {
namespace {

const unsigned char* Raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }
unsigned char* Raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

using SodiumSecretKey = Secret<std::array<std::byte, crypto_sign_ed25519_SECRETKEYBYTES>>;  // seed and public key

SodiumSecretKey Expand(const Ed25519Seed& seed, Ed25519PublicKey& public_key) {
  static const bool ready = sodium_init() >= 0;
  CHECK(ready, "libsodium cannot start");
  SodiumSecretKey secret;
  crypto_sign_ed25519_seed_keypair(Raw(public_key.data()), Raw(secret.Expose().data()), Raw(seed.Expose().data()));
  return secret;
}

}  // namespace

Ed25519PublicKey Ed25519Public(const Ed25519Seed& seed) {
  Ed25519PublicKey public_key;
  Expand(seed, public_key);
  return public_key;
}

Ed25519Signature SignEd25519(const Ed25519Seed& seed, std::span<const std::byte> message) {
  Ed25519PublicKey public_key;
  SodiumSecretKey secret = Expand(seed, public_key);
  Ed25519Signature signature;
  crypto_sign_ed25519_detached(Raw(signature.data()), nullptr, Raw(message.data()), message.size(),
                               Raw(secret.Expose().data()));
  return signature;
}

Status VerifyEd25519(const Ed25519PublicKey& key, std::span<const std::byte> message,
                     const Ed25519Signature& signature) {
  int verdict = crypto_sign_ed25519_verify_detached(Raw(signature.data()), Raw(message.data()), message.size(),
                                                    Raw(key.data()));
  if (verdict != 0) return AuthError("an Ed25519 signature is not of this key and message");
  return {};
}

}  // namespace soter
