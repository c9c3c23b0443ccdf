#include "untrusted/worker/session.h"

#include <algorithm>

namespace soter {

namespace {

using wire::MessageType;

constexpr size_t kMaxSegments = 65536;

uint64_t NanosecondsSince(std::chrono::steady_clock::time_point start) {
  auto elapsed = std::chrono::steady_clock::now() - start;
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
}

// WaitsForAck: requests that are answered by kAck alone.
bool WaitsForAck(MessageType type) {
  return type == MessageType::kAttach || type == MessageType::kLoadWeight || type == MessageType::kLoadSegment ||
         type == MessageType::kDrop;
}

}  // namespace

Session::Session(wire::Connection& connection, const BackendFactory& factory, const SessionOptions& options)
    : connection_(connection), factory_(factory), options_(options),
      tampering_(options.tampering != nullptr ? *options.tampering : honest_),
      delivery_(connection, options.recorder, tampering_, options.stall_limit) {}

Status Session::Serve() {
  while (!leaving_) {
    Status served = ServeNext();
    if (served.ok()) continue;
    if (served.error().code == ErrorCode::kUnavailable) return {};  // the client left without a word
    return served;
  }
  return {};
}

Status Session::ServeNext() {
  if (doorbell_.active()) {
    auto work = TRY(doorbell_.Await());
    if (auto* command = std::get_if<wire::WorkerDoorbell::Command>(&work)) return OnCommand(*command);
  } else {
    wire::WaitReadable(connection_.fd(), wire::kNoDeadline);
  }
  return ServeFrame();
}

Status Session::ServeFrame() {
  uint64_t limit = std::max(wire::kMaxMessageBytes, options_.memory_limit_bytes);
  wire::FrameHeader header = TRY(connection_.Receive(limit, Soon()));
  MessageType type = TRY(wire::MessageTypeFromNumber(header.type));
  Status handled = Handle(header, type);
  TRY(wire::DiscardPayload(connection_, Soon()));  // of a refused request; fails where the connection did
  if (!handled.ok()) return Refuse(header.request, handled.error());
  if (!WaitsForAck(type)) return {};
  return connection_.Send(static_cast<uint16_t>(MessageType::kAck), header.request, {}, Soon());
}

Status Session::Handle(const wire::FrameHeader& header, MessageType type) {
  switch (type) {
    case MessageType::kWake: return {};
    case MessageType::kGoodbye: leaving_ = true; return {};
    case MessageType::kHello: return OnHello(header.request);
    default: break;
  }
  if (backend_ == nullptr) return Malformed("the first message must be Hello");
  switch (type) {
    case MessageType::kAttach: return OnAttach();
    case MessageType::kLoadWeight: return OnLoadWeight();
    case MessageType::kLoadSegment: return OnLoadSegment();
    case MessageType::kDrop: return OnDrop();
    case MessageType::kRun: return OnRun(header.request);
    default: return Malformed("a message that only a worker sends");
  }
}

Status Session::Refuse(uint64_t request, const Error& error) {
  return wire::SendMessage(connection_, MessageType::kFailed, request, wire::Failed{error.code, error.message}, Soon());
}

template <typename Message>
Result<Message> Session::ReceiveMessage() {
  if (connection_.unread() > wire::kMaxMessageBytes) return Malformed("a message is too long");
  return wire::Decode<Message>(TRY(wire::ReceivePayload(connection_, Soon())));
}

Status Session::OnHello(uint64_t request) {
  auto hello = TRY(ReceiveMessage<wire::Hello>());
  if (hello.protocol != wire::kProtocolVersion) return Unsupported("this worker speaks protocol version 1");
  if (backend_ != nullptr) return Malformed("a second Hello");
  backend_ = TRY(factory_(std::min(hello.threads, options_.max_threads)));
  info_ = backend_->info();
  wire::HelloReply reply{.backend = info_.name,
                         .device = info_.device,
                         .arithmetics = info_.arithmetics,
                         .shares_memory = !options_.shared_directory.empty() && tampering_.AllowsSharing()};
  return wire::SendMessage(connection_, MessageType::kHelloReply, request, reply, Soon());
}

Status Session::Detach() {
  DropSegments();
  doorbell_ = {};
  TRY(backend_->OnRegion({}));
  region_ = {};
  return {};
}

Status Session::OnAttach() {
  auto attach = TRY(ReceiveMessage<wire::Attach>());
  TRY(Detach());
  if (options_.shared_directory.empty() || !tampering_.AllowsSharing()) {
    return Unavailable("this worker does not share memory");
  }
  if (attach.size_bytes < wire::kControlBytes) return Malformed("a shared region without room for its control page");
  region_ = TRY(wire::SharedRegion::Attach(options_.shared_directory, attach.path, attach.size_bytes));
  Status taken = backend_->OnRegion(region_.bytes());
  if (!taken.ok()) {
    region_ = {};
    return taken;
  }
  auto* page = reinterpret_cast<wire::ControlPage*>(region_.bytes().data());
  doorbell_ = wire::WorkerDoorbell(page, &connection_, options_.spin);
  return {};
}

Status Session::CheckRoom(uint64_t more_bytes) const {
  uint64_t used = weight_bytes_ + segment_bytes_;
  if (used > options_.memory_limit_bytes || more_bytes > options_.memory_limit_bytes - used) {
    return Exhausted("this worker accepts " + std::to_string(options_.memory_limit_bytes) + " bytes of weights and buffers");
  }
  return {};
}

Status Session::CheckRoom(const CheckedSegment& segment) const {
  uint64_t wanted = 0;
  for (const auto* places : {&segment.inputs, &segment.outputs}) {
    for (const PortPlace& place : *places) TRY(CheckRoom(wanted += place.size_bytes));
  }
  return {};
}

Status Session::OnLoadWeight() {
  auto request = TRY(wire::ReceiveHead<wire::LoadWeight>(connection_, Soon()));
  uint64_t size_bytes = TRY(SizeBytes(request.type));
  if (size_bytes != connection_.unread()) return Malformed("a weight's data does not have the size of its type");
  if (weights_.contains(request.id)) return Malformed("a weight with that id is already here");
  TRY(CheckRoom(size_bytes));
  Tensor weight = TRY(Tensor::Allocate(request.type));
  TRY(connection_.Read(weight.mutable_bytes(), Soon()));
  if (options_.recorder != nullptr) TRY(options_.recorder->Weight(request.id, weight));
  tampering_.OnWeight(request.id, weight);
  TRY(backend_->LoadWeight(request.id, std::make_shared<const Tensor>(std::move(weight))));
  weights_[request.id] = request.type;
  weight_bytes_ += size_bytes;
  return {};
}

Status Session::OnLoadSegment() {
  auto request = TRY(ReceiveMessage<wire::LoadSegment>());
  if (segments_.contains(request.segment)) return Malformed("a segment with that id is already here");
  if (segments_.size() >= kMaxSegments) return Exhausted("too many segments");
  CheckedSegment segment = TRY(CheckSegment(request, weights_, region_.bytes().size()));
  if (!std::ranges::count(info_.arithmetics, segment.arithmetic)) {
    return Unsupported("this backend does not compute in that arithmetic");
  }
  if (!region_.mapped()) TRY(CheckRoom(segment));
  SegmentBuffers buffers = TRY(SegmentBuffers::Make(segment, region_.bytes()));
  TRY(backend_->LoadSegment(segment.id, segment.graph, segment.arithmetic, request.inputs,
                             request.outputs));
  if (options_.recorder != nullptr) TRY(options_.recorder->Segment(segment, request.graph));
  tampering_.OnSegment(segment, request.graph);
  segment_bytes_ += buffers.private_bytes();
  segments_.emplace(segment.id, LoadedSegment{std::move(segment), std::move(buffers)});
  return {};
}

void Session::DropSegments() {
  backend_->DropSegments();
  segments_.clear();
  segment_bytes_ = 0;
}

Status Session::OnDrop() {
  auto drop = TRY(ReceiveMessage<wire::Drop>());
  DropSegments();
  if (!drop.weights) return {};
  backend_->DropWeights();
  weights_.clear();
  weight_bytes_ = 0;
  return {};
}

Result<LoadedSegment*> Session::FindSegment(uint32_t id) {
  auto found = segments_.find(id);
  if (found == segments_.end()) return Malformed("a run of a segment that was not loaded");
  return &found->second;
}

Status Session::OnRun(uint64_t request) {
  auto run = TRY(wire::ReceiveHead<wire::Run>(connection_, Soon()));
  if (region_.mapped()) return Malformed("with shared memory, runs start through it");
  LoadedSegment* loaded = TRY(FindSegment(run.segment));
  TRY(ReceiveInputs(*loaded));
  delivery_.Begin({.loaded = loaded, .request = request});
  return Compute(*loaded);
}

Status Session::ReceiveInputs(const LoadedSegment& loaded) {
  uint64_t expected = 0;
  for (const PortPlace& place : loaded.segment.inputs) expected += place.size_bytes;
  if (expected != connection_.unread()) return Malformed("a run's inputs do not have the size of their ports");
  for (size_t i = 0; i < loaded.segment.inputs.size(); ++i) {
    TRY(connection_.Read(loaded.buffers.arriving(i), Soon()));
  }
  return {};
}

Status Session::OnCommand(wire::WorkerDoorbell::Command command) {
  Delivery::Run run{.doorbell = &doorbell_, .request = command.sequence};
  Result<LoadedSegment*> loaded = FindSegment(command.segment);
  if (!loaded.ok()) return delivery_.Fail(run, loaded.error());
  run.loaded = *loaded;
  run.loaded->buffers.CopyIn();
  delivery_.Begin(run);
  Status computed = Compute(*run.loaded);
  if (computed.ok()) return {};
  return delivery_.Fail(run, computed.error());
}

Status Session::Compute(LoadedSegment& loaded) {
  if (options_.recorder != nullptr) {
    TRY(options_.recorder->BeginRun(loaded.segment.id));
    for (size_t i = 0; i < loaded.segment.inputs.size(); ++i) {
      TRY(options_.recorder->Input(i, loaded.segment.inputs[i].port, loaded.buffers.arriving(i)));
    }
  }
  delivery_.ShowInputs();
  auto start = std::chrono::steady_clock::now();
  TRY(backend_->Run(loaded.segment.id, loaded.buffers.inputs(), loaded.buffers.outputs(), delivery_.on_output()));
  return delivery_.Finish(NanosecondsSince(start));
}

}  // namespace soter
