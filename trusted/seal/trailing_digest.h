#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "common/base/result.h"
#include "trusted/crypto/hash.h"

namespace soter {

// TrailingDigest digests memory with SHA-256, in a thread of its own, while it is being filled from the front.
class TrailingDigest {
 public:
  // Start makes ready for `memory`, which must outlive it. Errors: kExhausted (no thread can be had).
  static Result<std::unique_ptr<TrailingDigest>> Start(std::span<const std::byte> memory);

  TrailingDigest(const TrailingDigest&) = delete;
  TrailingDigest& operator=(const TrailingDigest&) = delete;
  ~TrailingDigest();

  // Advance says that the first `filled` bytes are as they will stay; it never goes back.
  void Advance(size_t filled);

  // Finish waits for the digest of the first `filled` bytes; called once.
  Sha256::Digest Finish(size_t filled);

 private:
  explicit TrailingDigest(std::span<const std::byte> memory) : memory_(memory) {}
  void Follow();
  size_t AwaitMore(size_t digested, bool& ended);
  void Publish(size_t filled, bool ended);

  std::span<const std::byte> memory_;
  Sha256 hasher_;          // of the thread, until it has ended
  size_t published_ = 0;   // of the filler

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t filled_ = 0;      // guarded by mutex_
  bool ended_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace soter
