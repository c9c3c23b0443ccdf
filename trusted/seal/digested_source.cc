#include "trusted/seal/digested_source.h"

#include <algorithm>
#include <system_error>

namespace soter {

DigestedSource::DigestedSource(ByteSource source) : source_(std::move(source)) {
  for (Block& block : blocks_) block.bytes.resize(kBlockBytes);
}

Result<std::unique_ptr<DigestedSource>> DigestedSource::Start(ByteSource source) {
  std::unique_ptr<DigestedSource> started(new DigestedSource(std::move(source)));
  try {
    started->thread_ = std::thread([raw = started.get()] { raw->ReadAhead(); });
  } catch (const std::system_error&) {
    return Exhausted("no thread can be started to read the sealed model: raise the limit of processes (ulimit -u)");
  }
  return started;
}

DigestedSource::~DigestedSource() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DigestedSource::ReadAhead() {
  bool at_end = false;
  for (size_t index = 0; !at_end && AwaitFreeBlock(); ++index) {
    Block& block = blocks_[index % kBlockCount];
    Result<size_t> filled = ReadFull(source_, block.bytes);
    block.filled = filled.ok() ? *filled : 0;
    at_end = block.filled < block.bytes.size();
    {
      std::lock_guard lock(mutex_);
      if (!filled.ok()) failure_ = filled.error();
      ended_ = at_end;
      ++produced_;
    }
    changed_.notify_all();
    // The reader is at work on this block already; it is filled anew only by this thread, after this.
    hasher_.Update(std::span(block.bytes).first(block.filled));
  }
}

bool DigestedSource::AwaitFreeBlock() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || produced_ - consumed_ < kBlockCount; });
  return !stopping_;
}

Result<bool> DigestedSource::AwaitBlock() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return produced_ > consumed_ || ended_; });
  if (failure_) return *failure_;
  return produced_ > consumed_;
}

void DigestedSource::ReleaseBlock() {
  {
    std::lock_guard lock(mutex_);
    ++consumed_;
  }
  offset_ = 0;
  changed_.notify_all();
}

Result<size_t> DigestedSource::Read(std::span<std::byte> out) {
  while (TRY(AwaitBlock())) {
    Block& block = blocks_[consumed_ % kBlockCount];
    size_t size_bytes = std::min(out.size(), block.filled - offset_);
    std::ranges::copy(std::span(block.bytes).subspan(offset_, size_bytes), out.begin());
    offset_ += size_bytes;
    if (offset_ == block.filled) ReleaseBlock();
    if (size_bytes > 0) return size_bytes;
  }
  return 0;
}

Result<Blake2b512::Digest> DigestedSource::Finish() {
  while (TRY(AwaitBlock())) ReleaseBlock();
  thread_.join();
  return std::move(hasher_).Finish();
}

}  // namespace soter
