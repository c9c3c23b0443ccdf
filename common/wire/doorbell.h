#pragma once

#include <atomic>
#include <cstdint>
#include <variant>

#include "common/wire/connection.h"

// Start and progress of a run through shared memory: one store each, and a frame on the socket only when the peer
// sleeps (docs/spec/wire.md, 4). Everything that a peer wrote is read once and checked.
namespace soter::wire {

inline constexpr size_t kControlBytes = 4096;         // the region's first page; tensors lie behind it
inline constexpr uint32_t kReadyFailed = UINT32_MAX;  // progress of a run that failed; why comes as a kFailed frame

// ControlPage stands at the start of a shared region. Each field has its own cache line, so that neither side's
// stores slow the other.
struct ControlPage {
  alignas(64) std::atomic<uint64_t> command;         // enclave: sequence << 32 | segment
  alignas(64) std::atomic<uint32_t> enclave_sleeps;  // 0 awake, n: wake when n outputs are ready
  alignas(64) std::atomic<uint64_t> progress;        // worker: sequence << 32 | outputs ready; one more: finished
  alignas(64) std::atomic<uint32_t> worker_sleeps;   // 0 awake, 1: wake at the next command
  alignas(64) std::atomic<uint64_t> compute_ns;      // worker, before it says finished
};
static_assert(sizeof(ControlPage) == 320 && std::atomic<uint64_t>::is_always_lock_free);

// SpinPolicy bounds how long a side polls before it sleeps on the socket. Waking costs about 80 us on a virtual
// machine, so polling about as long never costs more than twice the best choice. Both processes share the cores:
// every `rounds_per_yield` rounds the poller offers its core to whoever computes.
struct SpinPolicy {
  uint32_t rounds = 1000;  // of one `pause` instruction, about 50 ns each on the CPUs measured
  uint32_t rounds_per_yield = 32;
};

// EnclaveDoorbell starts runs and follows them.
// Errors: kUnavailable (peer gone or late), kMalformed (progress that no honest worker makes).
class EnclaveDoorbell {
 public:
  EnclaveDoorbell() = default;
  EnclaveDoorbell(ControlPage* page, Connection* connection, SpinPolicy spin)
      : page_(page), connection_(connection), spin_(spin) {}

  // Start asks for `segment`, which has `output_count` outputs.
  Status Start(uint32_t segment, uint32_t output_count, Deadline deadline);

  // Await waits until `wanted` outputs are ready (output_count + 1: the run is finished) and returns how many are;
  // or kReadyFailed: then the header of a kFailed frame was received, and its payload is to be read next.
  Result<uint32_t> Await(uint32_t wanted, Deadline deadline);

  uint64_t compute_ns() const { return page_->compute_ns.load(std::memory_order_relaxed); }
  uint32_t sequence() const { return sequence_; }

 private:
  Result<uint32_t> ReadProgress();
  Result<MessageType> ReceiveNotice(Deadline deadline);

  ControlPage* page_ = nullptr;
  Connection* connection_ = nullptr;
  SpinPolicy spin_;
  uint32_t sequence_ = 0;
  uint32_t output_count_ = 0;
  uint32_t ready_ = 0;  // the last progress that was accepted
};

// WorkerDoorbell waits for commands and reports progress. Errors: as EnclaveDoorbell.
class WorkerDoorbell {
 public:
  struct Command { uint32_t sequence; uint32_t segment; };

  WorkerDoorbell() = default;
  WorkerDoorbell(ControlPage* page, Connection* connection, SpinPolicy spin)
      : page_(page), connection_(connection), spin_(spin) {}

  // Await returns the next command, or nothing when a frame (or the end) is to be received first.
  Result<std::variant<std::monostate, Command>> Await();

  // Publish says how many outputs of the current command are ready.
  Status Publish(uint32_t ready, Deadline deadline);
  // Finish reports the end of a run with `output_count` outputs.
  Status Finish(uint32_t output_count, uint64_t compute_ns, Deadline deadline);

  bool active() const { return page_ != nullptr; }

 private:
  Result<std::variant<std::monostate, Command>> ReadCommand();

  ControlPage* page_ = nullptr;
  Connection* connection_ = nullptr;
  SpinPolicy spin_;
  uint32_t sequence_ = 0;
};

}  // namespace soter::wire
