#include "trusted/engine/operator_service.h"

#include <algorithm>
#include <optional>

#include "common/graph/codec.h"
#include "common/wire/control_codec.h"
#include "trusted/engine/remote_accelerator.h"
#include "trusted/engine/session.h"

namespace soter {
namespace {

using control::MessageType;

class OperatorService {
 public:
  OperatorService(wire::Connection& connection, std::string tee) : connection_(connection), tee_(std::move(tee)) {}

  Status Serve() {
    Status status = Converse();
    if (status.ok()) return {};
    // The peer may be gone, which is why there may be nobody to tell; the first error is the one that counts.
    [[maybe_unused]] Status told = Send(MessageType::kFailed, control::Failure{status.error().code, status.error().message});
    return status;
  }

 private:
  Status Converse() {
    control::Settings settings = TRY(ReceiveMessage<control::Settings>(MessageType::kConfigure));
    TRY(ValidateSettings(settings));
    ValidatedGraph model = TRY(ReceiveModel());
    TRY(Start(std::move(model), std::move(settings)));
    control::ModelReport report = session_->Describe();
    report.tee = tee_;
    TRY(Send(MessageType::kReady, report));
    while (std::optional<wire::FrameHeader> header = TRY(NextRequest())) {
      if (header->type == static_cast<uint16_t>(MessageType::kPlan)) {
        TRY(Send(MessageType::kPlanned, TRY(session_->Plan(TRY(Read<control::PlanRequest>(*header))))));
      } else if (header->type == static_cast<uint16_t>(MessageType::kRun)) {
        TRY(Send(MessageType::kRan, TRY(session_->Run(TRY(Read<control::RunRequest>(*header))))));
      } else {
        return Malformed("a plan or run request was expected");
      }
    }
    return {};
  }

  Status Start(ValidatedGraph model, control::Settings settings) {
    auto connect = [settings]() -> Result<std::unique_ptr<Accelerator>> {
      std::unique_ptr<RemoteAccelerator> accelerator = TRY(RemoteAccelerator::Connect(
          {.address = settings.worker, .threads = settings.worker_threads,
           .timeout = std::chrono::milliseconds(settings.timeout_ms)}));
      return std::unique_ptr<Accelerator>(std::move(accelerator));
    };
    session_ = TRY(Session::Create(std::move(model), std::move(settings), connect));
    return {};
  }

  // The model comes in pieces; the decoder asks for as many bytes as it wants next.
  Result<ValidatedGraph> ReceiveModel() {
    ValidatedGraph model = TRY(DecodeGraph([this](std::span<std::byte> target) -> Status {
      while (!target.empty()) {
        if (connection_.unread() == 0) {
          uint64_t size = TRY(ReceivePiece());
          if (size == 0) return Malformed("the model ends early");
        }
        size_t size = std::min<uint64_t>(target.size(), connection_.unread());
        TRY(connection_.Read(target.first(size), wire::kNoDeadline));
        target = target.subspan(size);
      }
      return {};
    }));
    if (connection_.unread() != 0 || TRY(ReceivePiece()) != 0) return Malformed("bytes follow the model");
    return model;
  }

  Result<uint64_t> ReceivePiece() {
    wire::FrameHeader header = TRY(connection_.Receive(control::kMaxModelPieceBytes, wire::kNoDeadline));
    if (header.type != static_cast<uint16_t>(MessageType::kModel)) return Malformed("a piece of the model was expected");
    return header.payload_bytes;
  }

  // Nothing when the peer is done.
  Result<std::optional<wire::FrameHeader>> NextRequest() {
    Result<wire::FrameHeader> header = connection_.Receive(control::kMaxMessageBytes, wire::kNoDeadline);
    if (!header.ok() && header.error().code == ErrorCode::kUnavailable) return std::optional<wire::FrameHeader>();
    return std::optional<wire::FrameHeader>(TRY(std::move(header)));
  }

  template <typename Message>
  Result<Message> Read(const wire::FrameHeader& header) {
    Buffer payload = TRY(TryBuffer(header.payload_bytes));
    TRY(connection_.Read(payload.bytes(), wire::kNoDeadline));
    return control::Decode<Message>(payload.bytes());
  }

  template <typename Message>
  Result<Message> ReceiveMessage(MessageType type) {
    wire::FrameHeader header = TRY(connection_.Receive(control::kMaxMessageBytes, wire::kNoDeadline));
    if (header.type != static_cast<uint16_t>(type)) return Malformed("another message was expected");
    return Read<Message>(header);
  }

  template <typename Message>
  Status Send(MessageType type, const Message& message) {
    std::vector<std::byte> payload = control::Encode(message);
    return connection_.Send(static_cast<uint16_t>(type), 0, {payload}, wire::kNoDeadline);
  }

  wire::Connection& connection_;
  std::string tee_;
  std::unique_ptr<Session> session_;
};

}  // namespace

Status ServeOperator(wire::Connection& connection, const std::string& tee) {
  return OperatorService(connection, tee).Serve();
}

}  // namespace soter
