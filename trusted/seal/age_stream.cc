#include "trusted/seal/age_stream.h"

#include <algorithm>

namespace soter {

AeadNonce AgeChunkNonce(uint64_t index, bool is_last) {
  AeadNonce nonce = {};
  for (size_t i = 0; i < sizeof(index); ++i) nonce[10 - i] = static_cast<std::byte>(index >> (8 * i));
  nonce[11] = static_cast<std::byte>(is_last);
  return nonce;
}

uint64_t AgePayloadBytes(uint64_t plaintext_bytes) {
  uint64_t chunk_count = std::max<uint64_t>(1, (plaintext_bytes + kAgeChunkBytes - 1) / kAgeChunkBytes);
  return plaintext_bytes + chunk_count * kAeadTagBytes;
}

Result<uint64_t> AgePlaintextBytes(uint64_t payload_bytes) {
  uint64_t chunk_count = (payload_bytes + kAgeSealedChunkBytes - 1) / kAgeSealedChunkBytes;
  if (payload_bytes < chunk_count * kAeadTagBytes) return Malformed("the age payload ends inside a tag");
  uint64_t plaintext_bytes = payload_bytes - chunk_count * kAeadTagBytes;
  if (AgePayloadBytes(plaintext_bytes) != payload_bytes) return Malformed("the age payload ends inside a tag");
  return plaintext_bytes;
}

}  // namespace soter
