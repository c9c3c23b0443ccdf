#include "trusted/engine/operator_service.h"

#include <algorithm>
#include <optional>

#include "common/base/secret_bytes.h"
#include "common/graph/codec.h"
#include "common/wire/control_codec.h"
#include "trusted/engine/open_model.h"
#include "trusted/engine/remote_accelerator.h"
#include "trusted/engine/session.h"

namespace soter {
namespace {

using control::MessageType;

class OperatorService {
 public:
  OperatorService(wire::Connection& connection, Platform& platform)
      : connection_(connection), platform_(platform), tee_(PlatformName(platform.kind())) {}

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
    ValidatedGraph model = TRY(ReceiveModel(settings));
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

  Result<ValidatedGraph> ReceiveModel(const control::Settings& settings) {
    wire::FrameHeader first = TRY(connection_.Receive(control::kMaxModelPieceBytes, wire::kNoDeadline));
    if (first.type == static_cast<uint16_t>(MessageType::kSealed)) return ReceiveSealedModel(first, settings);
    TRY(RequirePiece(first));
    TRY(RequirePlaintextAllowed(settings.scheme, tee_));
    ModelPieces pieces(*this, first.payload_bytes);
    ValidatedGraph model = TRY(DecodeGraph([&pieces](std::span<std::byte> target) -> Status {
      if (TRY(ReadFull(pieces.Source(), target)) < target.size()) return Malformed("the model ends early");
      return {};
    }));
    std::byte extra;
    if (TRY(pieces.Read({&extra, 1})) != 0) return Malformed("bytes follow the model");
    return model;
  }

  Result<ValidatedGraph> ReceiveSealedModel(const wire::FrameHeader& header, const control::Settings& settings) {
    TRY(RequireKeyFromOperatorAllowed(tee_));
    SecretBytes payload(header.payload_bytes);
    TRY(connection_.Read(payload.Expose(), wire::kNoDeadline));
    ModelPieces pieces(*this, TRY(ReceivePiece()));
    control::SealedModel sealed = TRY(control::Decode<control::SealedModel>(payload.Expose()));
    Result<ValidatedGraph> model = OpenModelFor(settings, sealed, pieces.Source());
    Wipe(std::as_writable_bytes(std::span(sealed.identity)));
    return model;
  }

  // ModelPieces reads the pieces of a model as one stream. Its first piece has been announced already.
  class ModelPieces {
   public:
    ModelPieces(OperatorService& service, uint64_t first_bytes) : service_(service), ended_(first_bytes == 0) {}
    Result<size_t> Read(std::span<std::byte> out) {
      wire::Connection& connection = service_.connection_;
      if (!ended_ && connection.unread() == 0) ended_ = TRY(service_.ReceivePiece()) == 0;
      if (ended_) return size_t{0};
      size_t size_bytes = std::min<uint64_t>(out.size(), connection.unread());
      TRY(connection.Read(out.first(size_bytes), wire::kNoDeadline));
      return size_bytes;
    }
    ByteSource Source() {
      return [this](std::span<std::byte> out) { return Read(out); };
    }

   private:
    OperatorService& service_;
    bool ended_;
  };

  Result<uint64_t> ReceivePiece() {
    wire::FrameHeader header = TRY(connection_.Receive(control::kMaxModelPieceBytes, wire::kNoDeadline));
    TRY(RequirePiece(header));
    return header.payload_bytes;
  }

  static Status RequirePiece(const wire::FrameHeader& header) {
    if (header.type == static_cast<uint16_t>(MessageType::kModel)) return {};
    return Malformed("a piece of the model was expected");
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
  Platform& platform_;
  std::string tee_;
  std::unique_ptr<Session> session_;
};

}  // namespace

Status ServeOperator(wire::Connection& connection, Platform& platform) {
  return OperatorService(connection, platform).Serve();
}

}  // namespace soter
