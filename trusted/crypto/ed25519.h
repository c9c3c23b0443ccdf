#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "common/base/result.h"
#include "common/base/secret.h"

// Ed25519 (RFC 8032), from libsodium: beyond the RFC it refuses public keys of small order and S >= L, so that a
// signature fits one message and one key.
namespace soter {

using Ed25519PublicKey = std::array<std::byte, 32>;
using Ed25519Seed = Secret<std::array<std::byte, 32>>;
using Ed25519Signature = std::array<std::byte, 64>;

Ed25519PublicKey Ed25519Public(const Ed25519Seed& seed);

Ed25519Signature SignEd25519(const Ed25519Seed& seed, std::span<const std::byte> message);

// VerifyEd25519 succeeds when the owner of `key` signed `message`. Errors: kAuth.
Status VerifyEd25519(const Ed25519PublicKey& key, std::span<const std::byte> message,
                     const Ed25519Signature& signature);

}  // namespace soter
