#pragma once

#include <memory>
#include <unordered_map>

#include "common/wire/doorbell.h"
#include "common/wire/exchange.h"
#include "common/wire/shared_region.h"
#include "trusted/engine/accelerator.h"

namespace soter {

struct RemoteAcceleratorOptions {
  std::string address;                     // of the worker, as common/wire/address.h reads it
  uint32_t threads = 1;                    // that the worker is asked to use
  std::chrono::milliseconds timeout{10'000};  // for connecting and for each answer while loading
  std::string shared_directory = wire::kSharedDirectory;  // empty: never share memory
  wire::SpinPolicy spin;
};

// RemoteAccelerator reaches a worker over a socket. Where both can map the same memory, tensors cross through it and
// Start, Await and Finish are one load or store each while nobody sleeps; else the tensors travel in frames.
// Nothing that the worker says is trusted: sizes, order and counts are checked, and after the first answer that no
// honest worker gives, or the first that is late, every call fails with that error.
// Start, Await and Finish allocate nothing with shared memory, but for the shape in what Await returns.
class RemoteAccelerator : public Accelerator {
 public:
  // Connect greets the worker. Errors: kInvalidArgument (no address), kUnavailable, kMalformed.
  static Result<std::unique_ptr<RemoteAccelerator>> Connect(const RemoteAcceleratorOptions& options);
  ~RemoteAccelerator() override;

  const AcceleratorInfo& info() const override { return info_; }
  // LoadWeight errors: also kExhausted, when the worker says so.
  Status LoadWeight(WeightId id, TensorView weight) override;
  // LoadSegments errors: also kExhausted where shared memory has no room, saying how much is needed.
  Result<std::vector<Refusal>> LoadSegments(std::span<const Segment> segments) override;

  Status Forget() override;
  std::span<std::byte> InputBuffer(uint32_t segment, size_t index) override;
  Status Start(uint32_t segment, Deadline deadline) override;
  Result<UntrustedTensor> Await(uint32_t segment, size_t index, Deadline deadline) override;
  Result<uint64_t> Finish(uint32_t segment, Deadline deadline) override;

  uint64_t bytes_sent() const override { return bytes_sent_; }
  uint64_t bytes_received() const override { return bytes_received_; }

 private:
  struct Loaded {
    uint32_t id = 0;
    std::vector<wire::Port> inputs, outputs;
    std::vector<std::span<std::byte>> input_bytes, output_bytes;
    std::vector<std::byte> run_head;                  // of the frame that starts it, without shared memory
    std::vector<wire::Connection::Piece> run_pieces;
  };

  RemoteAccelerator(const RemoteAcceleratorOptions& options, UniqueFd socket)
      : options_(options), connection_(std::move(socket), wire::kFrameMagic) {}

  Deadline Soon() const { return asked_ + options_.timeout; }
  void Ask() { asked_ = std::chrono::steady_clock::now(); }

  Status Greet();
  Result<std::vector<Refusal>> Load(std::span<const Segment> segments);
  Status Place(std::span<const Segment> segments);
  Result<bool> Share(uint64_t size_bytes);
  Status SendSegment(const Segment& segment, const Loaded& loaded);
  // Call sends a request and waits for its kAck.
  Status Call(wire::MessageType type, std::initializer_list<wire::Connection::Piece> pieces);
  Result<wire::FrameHeader> ReceiveReply(wire::MessageType wanted, uint64_t max_payload_bytes, Deadline deadline);

  Status SendRun(const Loaded& loaded, Deadline deadline);
  Status AwaitReady(uint32_t wanted, Deadline deadline);
  Status ReceiveOutput(Deadline deadline);
  Status ReceiveDone(Deadline deadline);
  Loaded& Running(uint32_t segment);

  // WorkerFailure reads the worker's own account of why it did not do something.
  Error WorkerFailure(Deadline deadline);
  // Settle names the worker in an error, and ends the conversation when the stream cannot be trusted any more.
  Error Settle(Error error);
  Status Settled(Status status) { return status.ok() ? std::move(status) : Settle(std::move(status).error()); }

  RemoteAcceleratorOptions options_;
  wire::Connection connection_;
  AcceleratorInfo info_;
  std::optional<Error> broken_;  // the error that ended the conversation
  bool refused_ = false;         // the last error was the worker's own answer: the stream is in step
  uint64_t request_ = 0;
  Deadline asked_{};             // when the last request was made

  wire::SharedRegion region_;
  wire::EnclaveDoorbell doorbell_;
  Buffer private_memory_;  // of inputs and outputs, without shared memory
  std::unordered_map<uint32_t, Loaded> segments_;
  Loaded* running_ = nullptr;
  uint32_t ready_ = 0;  // outputs of the run that have arrived; one more: it is finished
  uint64_t compute_ns_ = 0;
  uint64_t bytes_sent_ = 0, bytes_received_ = 0;
};

}  // namespace soter
