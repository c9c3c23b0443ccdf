#include "common/wire/doorbell.h"

#include <sched.h>

#include "common/wire/message_codec.h"

namespace soter::wire {

namespace {

// The order that loses no wake-up: a sleeper first says that it sleeps and then looks again; a waker first
// changes what is looked at and then looks for sleepers. With sequential consistency one of them sees the other.
constexpr std::memory_order kOrder = std::memory_order_seq_cst;

uint64_t Pack(uint32_t sequence, uint32_t low) { return uint64_t{sequence} << 32 | low; }

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Spin polls `done` for a bounded time; `done` returns true to end it.
template <typename Done>
void Spin(const SpinPolicy& policy, Done&& done) {
  for (uint32_t round = 1; round <= policy.rounds; ++round) {
    if (done()) return;
    Pause();
    if (round % policy.rounds_per_yield == 0) ::sched_yield();
  }
}

// WakeIf sends a kWake frame when the peer said that it sleeps and `wanted` holds for what it waits for.
template <typename Wanted>
Status WakeIf(std::atomic<uint32_t>& sleeps, Connection& connection, Deadline deadline, Wanted&& wanted) {
  uint32_t asleep = sleeps.load(kOrder);
  if (asleep == 0 || !wanted(asleep) || sleeps.exchange(0, kOrder) == 0) return {};
  return connection.Send(static_cast<uint16_t>(MessageType::kWake), 0, {}, deadline);
}

}  // namespace

Status EnclaveDoorbell::Start(uint32_t segment, uint32_t output_count, Deadline deadline) {
  output_count_ = output_count;
  ready_ = 0;
  page_->command.store(Pack(++sequence_, segment), kOrder);
  return WakeIf(page_->worker_sleeps, *connection_, deadline, [](uint32_t) { return true; });
}

Result<uint32_t> EnclaveDoorbell::ReadProgress() {
  uint64_t progress = page_->progress.load(kOrder);  // the one read: the worker may change it at any time
  auto sequence = static_cast<uint32_t>(progress >> 32);
  auto ready = static_cast<uint32_t>(progress);
  if (sequence == sequence_ - 1 && ready_ == 0) return uint32_t{0};  // not begun: still that of the run before
  if (sequence != sequence_) return Malformed("progress of a run that was not started");
  if (ready == kReadyFailed) return ready;
  if (ready < ready_ || ready > output_count_ + 1) return Malformed("progress that no run makes");
  ready_ = ready;
  return ready;
}

Result<MessageType> EnclaveDoorbell::ReceiveNotice(Deadline deadline) {
  FrameHeader header = TRY(connection_->Receive(kMaxReplyBytes, deadline));
  MessageType type = TRY(MessageTypeFromNumber(header.type));
  bool wake = type == MessageType::kWake && header.payload_bytes == 0;
  bool failed = type == MessageType::kFailed && header.request == sequence_;
  if (!wake && !failed) return Malformed("an unexpected frame during a run");
  return type;
}

Result<uint32_t> EnclaveDoorbell::Await(uint32_t wanted, Deadline deadline) {
  Result<uint32_t> ready = ReadProgress();
  auto arrived = [&] {
    ready = ReadProgress();
    return !ready.ok() || *ready >= wanted;
  };
  Spin(spin_, arrived);
  while (!arrived()) {
    page_->enclave_sleeps.store(wanted, kOrder);
    if (arrived()) break;
    if (TRY(ReceiveNotice(deadline)) == MessageType::kFailed) return kReadyFailed;
  }
  page_->enclave_sleeps.store(0, kOrder);
  if (!ready.ok() || *ready != kReadyFailed) return ready;
  while (TRY(ReceiveNotice(deadline)) == MessageType::kWake) continue;
  return kReadyFailed;
}

Result<std::variant<std::monostate, WorkerDoorbell::Command>> WorkerDoorbell::ReadCommand() {
  uint64_t command = page_->command.load(kOrder);  // the one read: the enclave may change it at any time
  auto sequence = static_cast<uint32_t>(command >> 32);
  if (sequence == sequence_) return std::variant<std::monostate, Command>();
  if (sequence != sequence_ + 1) return Malformed("commands out of order");
  sequence_ = sequence;
  return std::variant<std::monostate, Command>(Command{sequence, static_cast<uint32_t>(command)});
}

Result<std::variant<std::monostate, WorkerDoorbell::Command>> WorkerDoorbell::Await() {
  auto command = ReadCommand();
  auto arrived = [&] { return !command.ok() || std::holds_alternative<Command>(*command); };
  if (arrived()) return command;
  Spin(spin_, [&] { command = ReadCommand(); return arrived(); });
  if (arrived()) return command;
  page_->worker_sleeps.store(1, kOrder);
  command = ReadCommand();
  if (!arrived()) WaitReadable(connection_->fd(), kNoDeadline);
  page_->worker_sleeps.store(0, kOrder);
  return command;
}

Status WorkerDoorbell::Publish(uint32_t ready, Deadline deadline) {
  page_->progress.store(Pack(sequence_, ready), kOrder);
  return WakeIf(page_->enclave_sleeps, *connection_, deadline, [&](uint32_t wanted) { return ready >= wanted; });
}

Status WorkerDoorbell::Finish(uint32_t output_count, uint64_t compute_ns, Deadline deadline) {
  page_->compute_ns.store(compute_ns, std::memory_order_relaxed);
  return Publish(output_count + 1, deadline);
}

}  // namespace soter::wire
