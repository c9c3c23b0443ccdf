#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "common/wire/doorbell.h"
#include "untrusted/worker/recorder.h"
#include "untrusted/worker/segment_buffers.h"
#include "untrusted/worker/tampering.h"

namespace soter {

// Delivery takes the outputs of one run at a time to the client, in order, while the rest is being computed: as
// frames, or by telling of them through the doorbell where they lie in shared memory.
class Delivery {
 public:
  struct Run {
    LoadedSegment* loaded = nullptr;
    wire::WorkerDoorbell* doorbell = nullptr;  // null: frames
    uint64_t request = 0;                      // of the frame, or the command's sequence
  };

  Delivery(wire::Connection& connection, Recorder* recorder, Tampering& tampering, std::chrono::milliseconds stall_limit);
  Delivery(const Delivery&) = delete;

  // Begin prepares for a run. on_output() is what the backend is given.
  void Begin(const Run& run);
  const std::function<void(size_t)>& on_output() const { return on_output_; }
  // ShowInputs lets those who tamper see what the run was given.
  void ShowInputs();

  // Finish delivers what is left and says that the run is over. Errors: kUnavailable (the client is gone, or a
  // record cannot be written).
  Status Finish(uint64_t compute_ns);
  // Fail says instead why it is not. `error` reaches the client.
  Status Fail(const Run& run, const Error& error);

 private:
  wire::Deadline Soon() const { return std::chrono::steady_clock::now() + stall_limit_; }
  void Complete(size_t index);
  void DeliverReady();
  Status Deliver(size_t index);
  Status Reply(wire::MessageType type, std::initializer_list<wire::Connection::Piece> pieces);

  wire::Connection& connection_;
  Recorder* recorder_;
  Tampering& tampering_;
  std::chrono::milliseconds stall_limit_;
  std::function<void(size_t)> on_output_;

  Run run_;
  uint64_t run_count_ = 0;         // runs begun on this connection
  std::vector<uint8_t> complete_;  // by output
  size_t delivered_ = 0;
  Status status_;                  // the first failure to deliver
};

}  // namespace soter
