#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/result.h"
#include "trusted/crypto/aead.h"

// The payload of an age file: chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under a nonce of its index and
// a flag that marks the last (C2SP age.md, "Payload"; STREAM, Hoang et al. 2015).
namespace soter {

inline constexpr size_t kAgeChunkBytes = 64 * 1024;
inline constexpr size_t kAgeSealedChunkBytes = kAgeChunkBytes + kAeadTagBytes;

// AgeChunkNonce is the nonce of chunk `index`: eleven bytes big-endian, then the flag.
AeadNonce AgeChunkNonce(uint64_t index, bool is_last);

// AgePayloadBytes is the size of a payload of `plaintext_bytes`, without its nonce of 16 bytes.
uint64_t AgePayloadBytes(uint64_t plaintext_bytes);

// AgePlaintextBytes is its inverse. Errors: kMalformed (no payload has that size).
Result<uint64_t> AgePlaintextBytes(uint64_t payload_bytes);

}  // namespace soter
