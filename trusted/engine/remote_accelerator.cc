#include "trusted/engine/remote_accelerator.h"

#include <algorithm>
#include <cstdio>

#include "common/base/writer.h"
#include "common/graph/codec.h"

namespace soter {

namespace {

using wire::MessageType;

constexpr size_t kAlignment = 64;
constexpr size_t kShownMessageBytes = 200;
constexpr auto kGoodbyeTime = std::chrono::milliseconds(100);

uint64_t AlignUp(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

// Printable keeps a worker's words from doing anything to a terminal.
std::string Printable(const std::string& text) {
  std::string shown = text.substr(0, kShownMessageBytes);
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return shown;
}

std::vector<wire::Port> MakePorts(const std::vector<TensorType>& types, const std::vector<Layout>& layouts) {
  CHECK(layouts.empty() || layouts.size() == types.size(), "a segment has a layout for each port or none");
  std::vector<wire::Port> ports;
  for (size_t i = 0; i < types.size(); ++i) {
    ports.push_back({.type = types[i], .layout = layouts.empty() ? Layout::kDense : layouts[i]});
  }
  return ports;
}

uint64_t PortBytes(const wire::Port& port) { return LaidOutBytes(port.type, port.layout).value(); }

// PlacePorts gives each port an offset from `offset` on and returns where they end.
uint64_t PlacePorts(std::vector<wire::Port>& ports, uint64_t offset) {
  for (wire::Port& port : ports) {
    port.offset = offset;
    offset = AlignUp(offset + PortBytes(port));
  }
  return offset;
}

std::vector<std::span<std::byte>> PortSpans(const std::vector<wire::Port>& ports, std::span<std::byte> memory) {
  std::vector<std::span<std::byte>> spans;
  for (const wire::Port& port : ports) spans.push_back(memory.subspan(port.offset, PortBytes(port)));
  return spans;
}

}  // namespace

Result<std::unique_ptr<RemoteAccelerator>> RemoteAccelerator::Connect(const RemoteAcceleratorOptions& options) {
  wire::Address address = TRY(wire::ParseAddress(options.address));
  Deadline deadline = std::chrono::steady_clock::now() + options.timeout;
  UniqueFd socket = TRY(wire::Connect(address, deadline));
  std::unique_ptr<RemoteAccelerator> made(new RemoteAccelerator(options, std::move(socket)));
  TRY(made->Settled(made->Greet()));
  return made;
}

RemoteAccelerator::~RemoteAccelerator() {
  if (broken_) return;
  auto deadline = std::chrono::steady_clock::now() + kGoodbyeTime;
  // Courtesy only: a worker that does not hear it sees the connection close.
  (void)connection_.Send(static_cast<uint16_t>(MessageType::kGoodbye), ++request_, {}, deadline).ok();
}

Status RemoteAccelerator::Greet() {
  Ask();
  TRY(wire::SendMessage(connection_, MessageType::kHello, ++request_, wire::Hello{.threads = options_.threads}, Soon()));
  TRY(ReceiveReply(MessageType::kHelloReply, wire::kMaxReplyBytes, Soon()));
  auto reply = TRY(wire::Decode<wire::HelloReply>(TRY(wire::ReceivePayload(connection_, Soon()))));
  if (reply.protocol != wire::kProtocolVersion) return Malformed("it speaks another protocol version");
  info_ = {Printable(reply.backend), Printable(reply.device), std::move(reply.arithmetics),
           reply.shares_memory && !options_.shared_directory.empty()};
  return {};
}

Result<wire::FrameHeader> RemoteAccelerator::ReceiveReply(MessageType wanted, uint64_t max_payload_bytes,
                                                          Deadline deadline) {
  for (;;) {
    uint64_t limit = std::max(max_payload_bytes, wire::kMaxReplyBytes);
    wire::FrameHeader header = TRY(connection_.Receive(limit, deadline));
    MessageType type = TRY(wire::MessageTypeFromNumber(header.type));
    if (type == MessageType::kWake && header.payload_bytes == 0) continue;  // of a run that is over
    if (header.request != request_) return Malformed("it answered another request");
    if (type == MessageType::kFailed) return WorkerFailure(deadline);
    if (type != wanted || header.payload_bytes > max_payload_bytes) return Malformed("an answer of the wrong kind");
    return header;
  }
}

Status RemoteAccelerator::Call(MessageType type, std::initializer_list<wire::Connection::Piece> pieces) {
  CHECK(running_ == nullptr, "a run is in progress");
  Ask();
  for (const auto& piece : pieces) bytes_sent_ += piece.size();
  TRY(connection_.Send(static_cast<uint16_t>(type), ++request_, pieces, Soon()));
  TRY(ReceiveReply(MessageType::kAck, 0, Soon()));
  return {};
}

Error RemoteAccelerator::WorkerFailure(Deadline deadline) {
  auto read = [&]() -> Result<wire::Failed> {
    return wire::Decode<wire::Failed>(TRY(wire::ReceivePayload(connection_, deadline)));
  };
  Result<wire::Failed> failed = read();
  if (!failed.ok()) return failed.error();
  refused_ = true;
  running_ = nullptr;
  std::string message = "it says: " + Printable(failed->message);
  // Which of our own reactions its words cause is for us to decide.
  if (failed->code == ErrorCode::kExhausted) return Exhausted(message);
  if (failed->code == ErrorCode::kUnsupported) return Unsupported(message);
  return Unavailable(message);
}

Error RemoteAccelerator::Settle(Error error) {
  bool ours = error.code == ErrorCode::kExhausted && !refused_;  // this side's memory
  if (ours) return error;
  if (error.code == ErrorCode::kUnavailable && !refused_) {
    std::chrono::duration<double> waited = std::chrono::steady_clock::now() - asked_;
    char text[48];
    std::snprintf(text, sizeof(text), " (%.1f s after it was asked)", waited.count());
    error.message += text;
  }
  error = Annotate(std::move(error), "worker at " + options_.address);
  if (!std::exchange(refused_, false)) broken_ = error;
  return error;
}

Status RemoteAccelerator::LoadWeight(WeightId id, TensorView weight) {
  if (broken_) return *broken_;
  CHECK(SizeBytes(weight.type).value() == weight.bytes.size(), "a weight's data has the size of its type");
  std::vector<std::byte> head = wire::EncodeHead(wire::LoadWeight{id, weight.type});
  return Settled(Call(MessageType::kLoadWeight, {head, weight.bytes}));
}

Result<std::vector<Refusal>> RemoteAccelerator::LoadSegments(std::span<const Segment> segments) {
  if (broken_) return *broken_;
  Result<std::vector<Refusal>> refusals = Load(segments);
  if (!refusals.ok()) return Settle(std::move(refusals).error());
  return refusals;
}

Result<std::vector<Refusal>> RemoteAccelerator::Load(std::span<const Segment> segments) {
  TRY(Call(MessageType::kDrop, {wire::Encode(wire::Drop{.weights = false})}));
  TRY(Place(segments));
  std::vector<Refusal> refusals;
  for (const Segment& segment : segments) {
    Status sent = SendSegment(segment, segments_.at(segment.id));
    if (sent.ok()) continue;
    bool can_do_without = sent.error().code == ErrorCode::kExhausted || sent.error().code == ErrorCode::kUnsupported;
    if (!refused_ || !can_do_without) return sent.error();
    refusals.push_back({segment.id, Settle(std::move(sent).error())});
  }
  return refusals;
}

Status RemoteAccelerator::Forget() {
  if (broken_) return *broken_;
  segments_.clear();
  return Settled(Call(MessageType::kDrop, {wire::Encode(wire::Drop{.weights = true})}));
}

// Place lays out all segments: inputs side by side, so that one can be written while another's outputs are still
// read, and outputs over each other, since they stay only until the next Start.
Status RemoteAccelerator::Place(std::span<const Segment> segments) {
  segments_.clear();
  uint64_t inputs_end = wire::kControlBytes;
  for (const Segment& segment : segments) {
    Loaded loaded{.id = segment.id,
                  .inputs = MakePorts(segment.input_types, segment.input_layouts),
                  .outputs = MakePorts(segment.output_types, segment.output_layouts)};
    inputs_end = PlacePorts(loaded.inputs, inputs_end);
    CHECK(segments_.emplace(segment.id, std::move(loaded)).second, "segment ids are unique");
  }
  uint64_t end = inputs_end;
  for (auto& [id, loaded] : segments_) end = std::max(end, PlacePorts(loaded.outputs, inputs_end));
  bool shared = TRY(Share(end));
  if (!shared) private_memory_ = TRY(TryBuffer(end));
  std::span<std::byte> memory = shared ? region_.bytes() : private_memory_.bytes();
  for (auto& [id, loaded] : segments_) {
    loaded.input_bytes = PortSpans(loaded.inputs, memory);
    loaded.output_bytes = PortSpans(loaded.outputs, memory);
    if (shared) continue;
    loaded.run_head = wire::EncodeHead(wire::Run{id});
    loaded.run_pieces = {loaded.run_head};
    loaded.run_pieces.insert(loaded.run_pieces.end(), loaded.input_bytes.begin(), loaded.input_bytes.end());
  }
  return {};
}

// Share makes sure that a region of at least `size_bytes` is shared; false where the worker cannot.
Result<bool> RemoteAccelerator::Share(uint64_t size_bytes) {
  if (!info_.shares_memory) return false;
  if (region_.bytes().size() >= size_bytes) return true;
  region_ = {};
  Result<wire::SharedRegion> made = wire::SharedRegion::Create(options_.shared_directory, size_bytes);
  if (!made.ok() && made.error().code == ErrorCode::kExhausted) return made.error();
  info_.shares_memory = made.ok();
  if (!made.ok()) return false;
  Status attached = Call(MessageType::kAttach, {wire::Encode(wire::Attach{made->path(), size_bytes})});
  if (!attached.ok()) {
    if (!std::exchange(refused_, false)) return attached.error();
    info_.shares_memory = false;  // its own /dev/shm, another user, another machine: tensors go in frames
    return false;
  }
  region_ = std::move(made).value();
  region_.Unlink();
  auto* page = reinterpret_cast<wire::ControlPage*>(region_.bytes().data());
  doorbell_ = wire::EnclaveDoorbell(page, &connection_, options_.spin);
  return true;
}

Status RemoteAccelerator::SendSegment(const Segment& segment, const Loaded& loaded) {
  wire::LoadSegment request{.segment = segment.id,
                            .arithmetic = segment.arithmetic,
                            .inputs = loaded.inputs,
                            .outputs = loaded.outputs};
  Writer graph;
  auto write = [&graph](std::span<const std::byte> bytes) -> Status {
    graph.WriteBytes(bytes);
    return {};
  };
  TRY(EncodeGraph(segment.graph, write));
  request.graph = std::move(graph).Take();
  return Call(MessageType::kLoadSegment, {wire::Encode(request)});
}

std::span<std::byte> RemoteAccelerator::InputBuffer(uint32_t segment, size_t index) {
  auto found = segments_.find(segment);
  CHECK(found != segments_.end() && index < found->second.input_bytes.size(), "no such input");
  return found->second.input_bytes[index];
}

Status RemoteAccelerator::Start(uint32_t segment, Deadline deadline) {
  if (broken_) return *broken_;
  CHECK(running_ == nullptr, "a run is in progress");
  auto found = segments_.find(segment);
  CHECK(found != segments_.end(), "no such segment");
  running_ = &found->second;
  ready_ = 0;
  Ask();
  for (std::span<std::byte> input : running_->input_bytes) bytes_sent_ += input.size();
  return Settled(SendRun(*running_, deadline));
}

Status RemoteAccelerator::SendRun(const Loaded& loaded, Deadline deadline) {
  if (info_.shares_memory) return doorbell_.Start(loaded.id, static_cast<uint32_t>(loaded.outputs.size()), deadline);
  return connection_.Send(static_cast<uint16_t>(MessageType::kRun), ++request_, loaded.run_pieces, deadline);
}

RemoteAccelerator::Loaded& RemoteAccelerator::Running(uint32_t segment) {
  CHECK(running_ != nullptr && running_->id == segment, "that segment is not running");
  return *running_;
}

Result<UntrustedTensor> RemoteAccelerator::Await(uint32_t segment, size_t index, Deadline deadline) {
  if (broken_) return *broken_;
  Loaded& loaded = Running(segment);
  CHECK(index < loaded.outputs.size(), "no such output");
  Status ready = AwaitReady(static_cast<uint32_t>(index + 1), deadline);
  if (!ready.ok()) return Settle(std::move(ready).error());
  return UntrustedTensor{loaded.outputs[index].type, loaded.outputs[index].layout, loaded.output_bytes[index]};
}

Result<uint64_t> RemoteAccelerator::Finish(uint32_t segment, Deadline deadline) {
  if (broken_) return *broken_;
  Loaded& loaded = Running(segment);
  Status ready = AwaitReady(static_cast<uint32_t>(loaded.outputs.size() + 1), deadline);
  if (!ready.ok()) return Settle(std::move(ready).error());
  running_ = nullptr;
  return info_.shares_memory ? doorbell_.compute_ns() : compute_ns_;
}

Status RemoteAccelerator::AwaitReady(uint32_t wanted, Deadline deadline) {
  if (!info_.shares_memory) {
    while (ready_ < wanted) TRY(ready_ < running_->outputs.size() ? ReceiveOutput(deadline) : ReceiveDone(deadline));
    return {};
  }
  uint32_t ready = TRY(doorbell_.Await(wanted, deadline));
  if (ready == wire::kReadyFailed) return WorkerFailure(deadline);
  for (; ready_ < ready; ++ready_) {
    if (ready_ < running_->outputs.size()) bytes_received_ += running_->output_bytes[ready_].size();
  }
  return {};
}

Status RemoteAccelerator::ReceiveOutput(Deadline deadline) {
  std::span<std::byte> target = running_->output_bytes[ready_];
  TRY(ReceiveReply(MessageType::kOutput, target.size() + wire::kMaxHeadBytes, deadline));
  auto output = TRY(wire::ReceiveHead<wire::Output>(connection_, deadline));
  if (output.index != ready_) return Malformed("outputs out of order");
  if (connection_.unread() != target.size()) return Malformed("an output that does not have the size of its type");
  TRY(connection_.Read(target, deadline));
  bytes_received_ += target.size();
  ++ready_;
  return {};
}

Status RemoteAccelerator::ReceiveDone(Deadline deadline) {
  TRY(ReceiveReply(MessageType::kDone, wire::kMaxReplyBytes, deadline));
  compute_ns_ = TRY(wire::Decode<wire::Done>(TRY(wire::ReceivePayload(connection_, deadline)))).compute_ns;
  ++ready_;
  return {};
}

}  // namespace soter
