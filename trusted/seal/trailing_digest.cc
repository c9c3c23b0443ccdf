#include "trusted/seal/trailing_digest.h"

#include <system_error>

namespace soter {
namespace {

constexpr size_t kStepBytes = size_t{1} << 20;  // what is worth waking the thread for

}  // namespace

Result<std::unique_ptr<TrailingDigest>> TrailingDigest::Start(std::span<const std::byte> memory) {
  std::unique_ptr<TrailingDigest> started(new TrailingDigest(memory));
  try {
    started->thread_ = std::thread([raw = started.get()] { raw->Follow(); });
  } catch (const std::system_error&) {
    return Exhausted("no thread can be started to digest the sealed model: raise the limit of processes (ulimit -u)");
  }
  return started;
}

TrailingDigest::~TrailingDigest() {
  if (!thread_.joinable()) return;
  Publish(published_, true);
  thread_.join();
}

void TrailingDigest::Advance(size_t filled) {
  if (filled - published_ >= kStepBytes) Publish(filled, false);
}

Sha256::Digest TrailingDigest::Finish(size_t filled) {
  Publish(filled, true);
  thread_.join();
  return std::move(hasher_).Finish();
}

void TrailingDigest::Publish(size_t filled, bool ended) {
  published_ = filled;
  {
    std::lock_guard lock(mutex_);
    filled_ = filled;
    ended_ = ended;
  }
  changed_.notify_one();
}

size_t TrailingDigest::AwaitMore(size_t digested, bool& ended) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return filled_ > digested || ended_; });
  ended = ended_;
  return filled_;
}

void TrailingDigest::Follow() {
  bool ended = false;
  for (size_t digested = 0; !ended;) {
    size_t filled = AwaitMore(digested, ended);
    hasher_.Update(memory_.subspan(digested, filled - digested));
    digested = filled;
  }
}

}  // namespace soter
