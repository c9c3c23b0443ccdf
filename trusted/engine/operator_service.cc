#include "trusted/engine/operator_service.h"

#include <algorithm>
#include <optional>

#include "common/base/secret_bytes.h"
#include "common/graph/codec.h"
#include "common/graph/memory_need.h"
#include "common/wire/control_codec.h"
#include "trusted/attest/produce.h"
#include "trusted/crypto/hash.h"
#include "trusted/engine/open_model.h"
#include "trusted/engine/remote_accelerator.h"
#include "trusted/engine/session.h"
#include "trusted/engine/workload.h"

namespace soter {
namespace {

using control::MessageType;

class OperatorService {
 public:
  OperatorService(wire::Connection& connection, EnclaveSelf self)
      : connection_(connection), self_(std::move(self)), tee_(PlatformName(self_.platform.kind())) {}

  Status Serve() {
    Status status = Converse();
    if (status.ok()) return {};
    // The peer may be gone, which is why there may be nobody to tell; the first error is the one that counts.
    [[maybe_unused]] Status told = Send(MessageType::kFailed, control::Failure{status.error().code, status.error().message});
    return status;
  }

 private:
  Status Converse() {
    std::optional<control::Settings> settings = TRY(ReceiveSettings());
    if (!settings) return {};
    TRY(ValidateSettings(*settings));
    std::optional<ValidatedGraph> public_model;
    if (settings->scheme == control::Scheme::kEnnclave) public_model = TRY(ReceivePublicModel());
    LoadedModel model = TRY(ReceiveModel(*settings));
    claims_ = ClaimsOf(*settings, std::move(model.digest));
    TRY(Start(std::move(model.graph), std::move(*settings), public_model ? &*public_model : nullptr));
    control::ModelReport report = session_->Describe();
    report.tee = tee_;
    TRY(Send(MessageType::kReady, report));
    while (std::optional<wire::FrameHeader> header = TRY(NextRequest())) {
      if (header->type == static_cast<uint16_t>(MessageType::kAttest)) {
        TRY(Attest(*header));
      } else if (header->type == static_cast<uint16_t>(MessageType::kPlan)) {
        TRY(Send(MessageType::kPlanned, TRY(session_->Plan(TRY(Read<control::PlanRequest>(*header))))));
      } else if (header->type == static_cast<uint16_t>(MessageType::kRun)) {
        TRY(Send(MessageType::kRan, TRY(session_->Run(TRY(Read<control::RunRequest>(*header))))));
      } else {
        return Malformed("a plan, run or attest request was expected");
      }
    }
    return {};
  }

  // Nothing where the peer only wanted evidence.
  Result<std::optional<control::Settings>> ReceiveSettings() {
    wire::FrameHeader header = TRY(connection_.Receive(control::kMaxMessageBytes, wire::kNoDeadline));
    while (header.type == static_cast<uint16_t>(MessageType::kAttest)) {
      TRY(Attest(header));
      std::optional<wire::FrameHeader> next = TRY(NextRequest());
      if (!next) return std::optional<control::Settings>();
      header = *next;
    }
    if (header.type != static_cast<uint16_t>(MessageType::kConfigure)) return Malformed("settings were expected");
    return std::optional(TRY(Read<control::Settings>(header)));
  }

  Status Attest(const wire::FrameHeader& header) {
    control::AttestRequest request = TRY(Read<control::AttestRequest>(header));
    WorkloadClaims claims = claims_;
    claims.public_key_hash = self_.link_key;
    Result<std::string> evidence = AttestToJson(self_.platform, request.nonce, std::move(claims));
    // To `soter`, unavailable is an accelerator; this is the TEE.
    if (!evidence.ok()) return Exhausted("the TEE gave no evidence: " + evidence.error().message);
    ByteView json = AsBytes(*evidence);
    return Send(MessageType::kAttested, control::Attested{.evidence = {json.begin(), json.end()}});
  }

  Status Start(ValidatedGraph model, control::Settings settings, const ValidatedGraph* public_model) {
    auto connect = [settings]() -> Result<std::unique_ptr<Accelerator>> {
      std::unique_ptr<RemoteAccelerator> accelerator = TRY(RemoteAccelerator::Connect(
          {.address = settings.worker, .threads = settings.worker_threads,
           .timeout = std::chrono::milliseconds(settings.timeout_ms)}));
      return std::unique_ptr<Accelerator>(std::move(accelerator));
    };
    session_ = TRY(Session::Create(std::move(model), std::move(settings), connect, public_model));
    session_->ShowProgress([this](const std::string& what, double fraction) {
      // Only for a person's eyes: a peer that is gone is noticed with the next answer.
      (void)Send(MessageType::kProgress, control::Progress{what, fraction}).ok();
    });
    return {};
  }

  Result<LoadedModel> ReceiveModel(const control::Settings& settings) {
    wire::FrameHeader first = TRY(connection_.Receive(control::kMaxModelPieceBytes, wire::kNoDeadline));
    if (first.type == static_cast<uint16_t>(MessageType::kSealed)) return ReceiveSealedModel(first, settings);
    if (first.type == static_cast<uint16_t>(MessageType::kBrokered)) return ReceiveBrokeredModel(first, settings);
    TRY(RequirePiece(first, MessageType::kModel));
    TRY(RequirePlaintextAllowed(settings.scheme, tee_));
    Sha256 digest;
    Sha256* wanted = settings.digest_model ? &digest : nullptr;
    ValidatedGraph model = TRY(ReceiveGraph(first.payload_bytes, MessageType::kModel, wanted));
    LoadedModel loaded = {.graph = std::move(model)};
    Sha256::Digest name = std::move(digest).Finish();
    if (settings.digest_model) loaded.digest.assign(name.begin(), name.end());
    return loaded;
  }

  // The public model is no secret, and nothing that an enclave protects depends on who sent it.
  Result<ValidatedGraph> ReceivePublicModel() {
    uint64_t first_bytes = TRY(ReceivePiece(MessageType::kPublic));
    Result<ValidatedGraph> model = ReceiveGraph(first_bytes, MessageType::kPublic, nullptr);
    return model.ok() ? std::move(model) : Annotate(model.error(), "the public model");
  }

  // `digest`, where given, covers all bytes of the encoding.
  Result<ValidatedGraph> ReceiveGraph(uint64_t first_bytes, MessageType type, Sha256* digest) {
    ModelPieces pieces(*this, first_bytes, type);
    ValidatedGraph model = TRY(DecodeGraph([&](std::span<std::byte> target) -> Status {
      if (TRY(ReadFull(pieces.Source(), target)) < target.size()) return Malformed("the model ends early");
      if (digest != nullptr) digest->Update(target);
      return {};
    }, MachineMemoryBytes()));
    std::byte extra;
    if (TRY(pieces.Read({&extra, 1})) != 0) return Malformed("bytes follow the model");
    return model;
  }

  Result<LoadedModel> ReceiveSealedModel(const wire::FrameHeader& header, const control::Settings& settings) {
    TRY(RequireKeyFromOperatorAllowed(tee_));
    SecretBytes payload(header.payload_bytes);
    TRY(connection_.Read(payload.Expose(), wire::kNoDeadline));
    ModelPieces pieces(*this, TRY(ReceivePiece(MessageType::kModel)), MessageType::kModel);
    control::SealedModel sealed = TRY(control::Decode<control::SealedModel>(payload.Expose()));
    SecretBytes identity(sealed.identity.size());
    std::ranges::copy(AsBytes(sealed.identity), identity.Expose().begin());
    Wipe(std::as_writable_bytes(std::span(sealed.identity)));
    ReleasedKey key = {.identity = std::move(identity), .signer = std::move(sealed.signer), .terms = std::nullopt};
    return OpenModelFor(settings, std::move(key), {sealed.signature, sealed.ciphertext_bytes, pieces.Source()});
  }

  Result<LoadedModel> ReceiveBrokeredModel(const wire::FrameHeader& header, const control::Settings& settings) {
    control::BrokeredModel model = TRY(Read<control::BrokeredModel>(header));
    if (self_.keys == nullptr) return Unsupported("this enclave takes no keys from brokers");
    auto store = [this](std::span<const std::byte> lease) { return StoreLease(lease); };
    ReleasedKey key = TRY(self_.keys->Release(model, self_.platform, store));
    TRY(connection_.Send(static_cast<uint16_t>(MessageType::kKeyReleased), 0, {}, wire::kNoDeadline));
    ModelPieces pieces(*this, TRY(ReceivePiece(MessageType::kModel)), MessageType::kModel);
    return OpenModelFor(settings, std::move(key), {model.signature, model.ciphertext_bytes, pieces.Source()});
  }

  Status StoreLease(std::span<const std::byte> lease) {
    TRY(Send(MessageType::kLease, control::Lease{.sealed = {lease.begin(), lease.end()}}));
    wire::FrameHeader kept = TRY(connection_.Receive(0, wire::kNoDeadline));
    if (kept.type == static_cast<uint16_t>(MessageType::kLeaseKept)) return {};
    return Malformed("that the lease is kept was expected");
  }

  // ModelPieces reads the pieces of a model as one stream. Its first piece has been announced already.
  class ModelPieces {
   public:
    ModelPieces(OperatorService& service, uint64_t first_bytes, MessageType type)
        : service_(service), type_(type), ended_(first_bytes == 0) {}
    Result<size_t> Read(std::span<std::byte> out) {
      wire::Connection& connection = service_.connection_;
      if (!ended_ && connection.unread() == 0) ended_ = TRY(service_.ReceivePiece(type_)) == 0;
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
    MessageType type_;
    bool ended_;
  };

  Result<uint64_t> ReceivePiece(MessageType type) {
    wire::FrameHeader header = TRY(connection_.Receive(control::kMaxModelPieceBytes, wire::kNoDeadline));
    TRY(RequirePiece(header, type));
    return header.payload_bytes;
  }

  static Status RequirePiece(const wire::FrameHeader& header, MessageType type) {
    if (header.type == static_cast<uint16_t>(type)) return {};
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
  Status Send(MessageType type, const Message& message) {
    std::vector<std::byte> payload = control::Encode(message);
    return connection_.Send(static_cast<uint16_t>(type), 0, {payload}, wire::kNoDeadline);
  }

  wire::Connection& connection_;
  EnclaveSelf self_;
  std::string tee_;
  WorkloadClaims claims_;  // of the model, once there is one
  std::unique_ptr<Session> session_;
};

}  // namespace

Status ServeOperator(wire::Connection& connection, EnclaveSelf self) {
  return OperatorService(connection, std::move(self)).Serve();
}

}  // namespace soter
