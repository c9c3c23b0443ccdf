#pragma once

#include <chrono>
#include <memory>
#include <unordered_map>

#include "common/wire/doorbell.h"
#include "common/wire/exchange.h"
#include "common/wire/shared_region.h"
#include "untrusted/backend/backend.h"
#include "untrusted/worker/delivery.h"

namespace soter {

struct SessionOptions {
  std::string shared_directory = wire::kSharedDirectory;  // empty: no shared memory
  uint32_t max_threads = 1;
  uint64_t memory_limit_bytes = uint64_t{64} << 30;       // of weights and buffers that a client may fill
  std::chrono::milliseconds stall_limit{60'000};          // for a frame that was begun; a client may idle for ever
  wire::SpinPolicy spin;
  Recorder* recorder = nullptr;
  Tampering* tampering = nullptr;
};

// Session serves one client on one connection until it leaves. The client is not trusted either: whatever it sends,
// this process does not fail, and what was wrong with a request is said in a kFailed answer.
class Session {
 public:
  Session(wire::Connection& connection, const BackendFactory& factory, const SessionOptions& options);
  Session(const Session&) = delete;

  // Serve returns when the client has gone. Errors: kMalformed (it broke the protocol, so the connection ends).
  Status Serve();

 private:
  wire::Deadline Soon() const { return std::chrono::steady_clock::now() + options_.stall_limit; }
  Status ServeNext();
  Status ServeFrame();
  // Handle does what a frame asks for; an error is what the client is told.
  Status Handle(const wire::FrameHeader& header, wire::MessageType type);
  Status Refuse(uint64_t request, const Error& error);

  Status OnHello(uint64_t request);
  Status OnAttach();
  Status OnLoadWeight();
  Status OnLoadSegment();
  Status OnDrop();
  Status OnRun(uint64_t request);
  Status OnCommand(wire::WorkerDoorbell::Command command);

  template <typename Message>
  Result<Message> ReceiveMessage();
  Result<LoadedSegment*> FindSegment(uint32_t id);
  Status CheckRoom(uint64_t more_bytes) const;
  Status CheckRoom(const CheckedSegment& segment) const;
  Status ReceiveInputs(const LoadedSegment& loaded);
  Status Compute(LoadedSegment& loaded);
  void DropSegments();
  Status Detach();

  wire::Connection& connection_;
  const BackendFactory& factory_;
  SessionOptions options_;
  Tampering honest_;
  Tampering& tampering_;
  Delivery delivery_;

  std::unique_ptr<Backend> backend_;  // from Hello on
  BackendInfo info_;
  wire::SharedRegion region_;
  wire::WorkerDoorbell doorbell_;
  KnownWeights weights_;
  std::unordered_map<uint32_t, LoadedSegment> segments_;
  uint64_t weight_bytes_ = 0, segment_bytes_ = 0;
  bool leaving_ = false;
};

}  // namespace soter
