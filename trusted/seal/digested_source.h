#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/stream.h"
#include "trusted/crypto/hash.h"

namespace soter {

// DigestedSource reads a stream once, hands its bytes on, and digests the same bytes with BLAKE2b-512 in a thread of
// its own, while the reader works on them. It reads at most kBlockCount blocks ahead.
class DigestedSource {
 public:
  // Start begins to read. Errors: kExhausted (no thread can be had).
  static Result<std::unique_ptr<DigestedSource>> Start(ByteSource source);

  DigestedSource(const DigestedSource&) = delete;
  DigestedSource& operator=(const DigestedSource&) = delete;
  ~DigestedSource();

  // Read is a ByteSource. Errors: those of the source.
  Result<size_t> Read(std::span<std::byte> out);

  // Finish reads what is left and returns the digest of the whole stream. Errors: those of the source.
  Result<Blake2b512::Digest> Finish();

 private:
  explicit DigestedSource(ByteSource source);

  static constexpr size_t kBlockBytes = size_t{1} << 20;
  static constexpr size_t kBlockCount = 16;

  struct Block {
    std::vector<std::byte> bytes;
    size_t filled = 0;
  };

  void ReadAhead();
  bool AwaitFreeBlock();
  Result<bool> AwaitBlock();  // false at the end of the stream
  void ReleaseBlock();

  ByteSource source_;
  std::array<Block, kBlockCount> blocks_;
  size_t offset_ = 0;  // in the block that Read is at

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t produced_ = 0;  // guarded by mutex_, as are all below
  size_t consumed_ = 0;
  bool ended_ = false;
  bool stopping_ = false;
  std::optional<Error> failure_;
  Blake2b512 hasher_;    // of the thread, until it has ended

  std::thread thread_;
};

}  // namespace soter
