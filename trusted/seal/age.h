#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/stream.h"
#include "trusted/seal/age_key.h"
#include "trusted/seal/age_stream.h"

// Files in the age v1 format (https://c2sp.org/age), for X25519 recipients, of any size in bounded memory.
namespace soter {

// AgeEncryptor encrypts a stream: Start, Write as often as wanted, Finish. What was written before Finish is no
// complete file. After an error the encryptor is of no more use.
class AgeEncryptor {
 public:
  // Start writes the header. Errors: kInvalidArgument (no recipient), those of Wrap and `sink`.
  static Result<AgeEncryptor> Start(std::span<const AgeRecipient> recipients, ByteSink sink);

  // Write takes the next bytes of plaintext. Errors: those of the sink.
  Status Write(std::span<const std::byte> plaintext);

  // Finish writes the last chunk. Errors: those of the sink.
  Status Finish();

 private:
  AgeEncryptor(const AeadKey& payload_key, ByteSink sink);
  Status Flush(bool is_last);

  std::unique_ptr<ChaCha20Poly1305> cipher_;
  ByteSink sink_;
  SecretBytes chunk_;
  size_t chunk_filled_ = 0;
  std::vector<std::byte> sealed_;
  uint64_t chunk_index_ = 0;
};

// AgeDecryptor decrypts a stream and releases each chunk once it is authenticated. That says nothing about
// the chunks after it: the plaintext is complete only when Read has returned 0.
class AgeDecryptor {
 public:
  // Open reads the header and the nonce from `source`, in single bytes, so `source` should be buffered.
  // Errors: kMalformed (header), kAuth (no identity matches), kIntegrity (the header's MAC), those of `source`.
  static Result<AgeDecryptor> Open(ByteSource source, std::span<const AgeIdentity> identities);

  // Read decrypts the next chunk to the front of `out`, which holds at least kAgeChunkBytes, and returns its size;
  // 0 at the end. After an error it returns that error for ever.
  // Errors: kIntegrity (changed, reordered, truncated or extended), those of the source.
  Result<size_t> Read(std::span<std::byte> out);

 private:
  AgeDecryptor(const AeadKey& payload_key, ByteSource source);
  Result<size_t> ReadChunk(std::span<std::byte> out);

  std::unique_ptr<ChaCha20Poly1305> cipher_;
  ByteSource source_;
  std::vector<std::byte> sealed_;
  uint64_t chunk_index_ = 0;
  bool saw_last_ = false;
  std::optional<Error> failure_;
};

}  // namespace soter
