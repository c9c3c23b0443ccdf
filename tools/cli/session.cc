#include "tools/cli/session.h"

#include <cstdio>
#include <thread>

#include "common/base/secret.h"
#include "common/graph/codec.h"
#include "common/wire/control_codec.h"
#include "tools/cli/text.h"
#include "tools/cli/worker_choice.h"
#include "trusted/crypto/random.h"
#include "trusted/crypto/tls_channel.h"
#include "trusted/tee/platform.h"

namespace soter {

namespace {

constexpr auto kStartTimeout = std::chrono::seconds(10);
constexpr auto kApartTimeout = std::chrono::minutes(5);  // a large SGX enclave takes minutes to build
constexpr auto kStartPoll = std::chrono::milliseconds(2);
constexpr auto kFailureWait = std::chrono::milliseconds(500);  // for the message of an enclave that just gave up
constexpr size_t kPieceBytes = size_t{1} << 20;

wire::Deadline After(std::chrono::milliseconds wait) { return std::chrono::steady_clock::now() + wait; }

// The enclave would end before it could say so itself.
Status RequireDevKey(const std::string& path) {
  DeviceIo io;
  Result<std::unique_ptr<Platform>> platform = DetectPlatform(io, path);
  return platform.ok() ? Status() : InvalidArgument("--dev-key: " + platform.error().message);
}

// PieceSender sends a stream of bytes in frames of a good size.
class PieceSender {
 public:
  using Send = std::function<Status(std::span<const std::byte>)>;
  explicit PieceSender(Send send) : send_(std::move(send)) {}

  Status Add(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      size_t taken = std::min(bytes.size(), kPieceBytes - pending_.size());
      pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
      bytes = bytes.subspan(taken);
      if (pending_.size() == kPieceBytes) TRY(Flush());
    }
    return {};
  }
  Status Flush() {
    if (pending_.empty()) return {};
    TRY(send_(pending_));
    pending_.clear();
    return {};
  }

 private:
  Send send_;
  std::vector<std::byte> pending_;
};

}  // namespace

Result<std::unique_ptr<EnclaveSession>> EnclaveSession::Start(const EnclaveOptions& options, Progress* progress) {
  if (!options.enclave.empty() && options.enclave_policy.empty())
    return InvalidArgument("--enclave needs --enclave-policy P.toml: what the enclave must prove before it gets a model");
  std::unique_ptr<EnclaveSession> session(new EnclaveSession(progress));
  session->scratch_ = TRY(ScratchDirectory::Make());
  if (options.needs_worker) TRY(session->StartWorker(options));
  TRY(session->Open(options));
  control::Settings settings = options.settings;
  settings.worker = session->worker_address_;
  settings.digest_model |= session->judge_.has_value();
  settings.worker_kind = session->worker_kind_;
  TRY(session->Send(control::MessageType::kConfigure, control::Encode(settings)));
  return session;
}

Result<std::unique_ptr<EnclaveSession>> EnclaveSession::StartForEvidence(const EnclaveOptions& options,
                                                                         Progress* progress) {
  std::unique_ptr<EnclaveSession> session(new EnclaveSession(progress));
  session->scratch_ = TRY(ScratchDirectory::Make());
  TRY(session->Open(options));
  return session;
}

Status EnclaveSession::Open(const EnclaveOptions& options) {
  if (!options.enclave_policy.empty())
    judge_ = TRY(EnclaveJudge::Load(options.enclave_policy, options.enclave_collateral));
  if (!options.enclave.empty()) return AwaitEnclave(options);
  TRY(StartEnclave(options));
  if (judge_) TRY(JudgeNow(EnclaveJudge::Stage::kBeforeModel));
  return {};
}

Status EnclaveSession::StartWorker(const EnclaveOptions& options) {
  WorkerChoice choice = TRY(ChooseWorker(options.worker));
  if (!choice.address.empty() && !options.accelerator_model.empty()) {
    return InvalidArgument("--accelerator-model needs a worker of our own; start the one at " + options.worker +
                           " with soter worker --accelerator-model");
  }
  if (!choice.address.empty()) {
    worker_address_ = choice.address;
    worker_kind_ = options.settings.worker_kind;
    return {};
  }
  worker_kind_ = choice.kind;
  wire::Address address{.kind = wire::Address::Kind::kUnix, .path = scratch_->path() / "worker"};
  worker_address_ = wire::AddressString(address);
  ChildOptions child{.name = "the worker", .program = ProgramBeside("soter")};
  child.arguments = {"worker", "--listen", worker_address_, "--backend", choice.backend,
                     "--device", std::to_string(choice.device)};
  if (!options.accelerator_model.empty()) {
    child.arguments.insert(child.arguments.end(), {"--accelerator-model", options.accelerator_model});
  }
  if (!options.record_directory.empty()) {
    child.arguments.insert(child.arguments.end(), {"--record", options.record_directory});
  }
  child.environment = OpenMpEnvironment(static_cast<int>(options.settings.worker_threads), Processors::kShared);
  Result<std::unique_ptr<ChildProcess>> started = ChildProcess::Start(std::move(child));
  if (!started.ok()) return Unavailable(started.error().message);
  worker_ = std::move(started).value();
  TRY(WaitForWorker(address, options.worker));
  if (choice.backend == "auto") PrintLastWords(*worker_, "worker");  // a GPU that cannot be used
  return {};
}

// A worker takes one client after the other, so a connection that is closed at once does no harm.
Status EnclaveSession::WaitForWorker(const wire::Address& address, const std::string& asked) {
  for (wire::Deadline end = After(kStartTimeout); std::chrono::steady_clock::now() < end;) {
    if (wire::Connect(address, end).ok()) return {};
    if (auto how = worker_->HowItEnded()) {
      PrintLastWords(*worker_, "worker");
      return Unavailable("--worker " + asked + ": it " + *how + " before it was ready");
    }
    std::this_thread::sleep_for(kStartPoll);
  }
  return Unavailable("--worker " + asked + ": it was not ready in time");
}

Status EnclaveSession::StartEnclave(const EnclaveOptions& options) {
  if (!options.dev_key.empty()) TRY(RequireDevKey(options.dev_key));
  wire::Address address{.kind = wire::Address::Kind::kUnix, .path = scratch_->path() / "enclave"};
  wire::Listener listener = TRY(wire::Listener::Listen(address, wire::Reach::kThisMachine));
  ChildOptions child{.name = "the enclave", .program = ProgramBeside("soter-enclave")};
  child.arguments = {"--connect", wire::AddressString(address)};
  if (!options.dev_key.empty()) child.arguments.insert(child.arguments.end(), {"--dev-key", options.dev_key});
  child.environment = OpenMpEnvironment(static_cast<int>(options.settings.threads),
                                        options.needs_worker ? Processors::kShared : Processors::kOwn);
  Result<std::unique_ptr<ChildProcess>> started = ChildProcess::Start(std::move(child));
  if (!started.ok()) return Exhausted(started.error().message);
  enclave_ = std::move(started).value();
  for (wire::Deadline end = After(kStartTimeout); std::chrono::steady_clock::now() < end;) {
    Result<UniqueFd> socket = listener.Accept(After(std::chrono::milliseconds(50)));
    if (socket.ok()) {
      connection_ = std::make_unique<wire::Connection>(std::move(socket).value(), control::kFrameMagic);
      return {};
    }
    if (enclave_->HowItEnded().has_value()) break;
  }
  return Lost(Exhausted("the enclave did not connect"));
}

Result<UniqueFd> EnclaveSession::AcceptEnclave(const EnclaveOptions& options) {
  Result<wire::Address> address = wire::ParseAddress(options.enclave);
  if (!address.ok()) return Annotate(address.error(), "--enclave");
  if (address->kind != wire::Address::Kind::kTcp) return InvalidArgument("--enclave takes HOST:PORT");
  // Whoever may reach this address: only an enclave that the policy accepts gets further than its certificate.
  Result<wire::Listener> listener = wire::Listener::Listen(*address, wire::Reach::kAnywhere);
  if (!listener.ok()) return Annotate(listener.error(), "--enclave");
  if (progress_ != nullptr) progress_->Clear();
  std::fprintf(stderr, "soter: waiting for soter-enclave --connect %s\n",
               wire::AddressString(listener->address()).c_str());
  Result<UniqueFd> socket = listener->Accept(After(kApartTimeout));
  if (!socket.ok()) return Exhausted("no enclave connected to " + options.enclave);
  return socket;
}

Status EnclaveSession::AwaitEnclave(const EnclaveOptions& options) {
  UniqueFd socket = TRY(AcceptEnclave(options));
  auto judge = [this](const Certificate& certificate) { return judge_ ? judge_->JudgeLink(certificate) : Status(); };
  Result<std::unique_ptr<TlsChannel>> channel = TlsChannel::JudgePeer(std::move(socket), judge, After(kStartTimeout));
  if (!channel.ok() && channel.error().code == ErrorCode::kUnavailable) return Lost(channel.error());
  if (!channel.ok()) return channel.error();
  link_ = (*channel)->peer();
  connection_ = std::make_unique<wire::Connection>(std::move(channel).value(), control::kFrameMagic);
  return {};
}

Result<std::vector<std::byte>> EnclaveSession::Evidence(ByteView nonce) {
  TRY(Send(control::MessageType::kAttest,
           control::Encode(control::AttestRequest{.nonce = {nonce.begin(), nonce.end()}})));
  std::vector<std::byte> payload = TRY(Await(control::MessageType::kAttested));
  return TRY(control::Decode<control::Attested>(payload)).evidence;
}

Result<EvidenceClaims> EnclaveSession::JudgeNow(EnclaveJudge::Stage stage) {
  std::array<std::byte, 32> nonce;
  TRY(FillRandom(nonce));
  return judge_->JudgeEvidence(TRY(Evidence(nonce)), nonce, link_, stage);
}

Status EnclaveSession::Send(control::MessageType type, std::span<const std::byte> payload) {
  Status sent = connection_->Send(static_cast<uint16_t>(type), 0, {payload}, wire::kNoDeadline);
  if (sent.ok()) return sent;
  // An enclave that gives up says why before it closes the connection.
  if (connection_->AwaitReadable(After(kFailureWait))) return Await(control::MessageType::kFailed).error();
  return Lost(sent.error());
}

Result<std::vector<std::byte>> EnclaveSession::Await(control::MessageType type) {
  control::MessageType received;
  return AwaitOr(type, type, received);
}

Result<std::vector<std::byte>> EnclaveSession::AwaitOr(control::MessageType type, control::MessageType other,
                                                       control::MessageType& received) {
  for (;;) {
    Result<wire::FrameHeader> header = connection_->Receive(control::kMaxMessageBytes, wire::kNoDeadline);
    if (!header.ok()) return Lost(header.error());
    std::vector<std::byte> payload(header->payload_bytes);
    Status read = connection_->Read(payload, wire::kNoDeadline);
    if (!read.ok()) return Lost(read.error());
    received = TRY(control::MessageTypeFromNumber(header->type));
    if (received == control::MessageType::kFailed) {
      control::Failure failure = TRY(control::Decode<control::Failure>(payload));
      return Explain({failure.code, TerminalSafe(failure.message, Lines::kJoin)});
    }
    if (received == control::MessageType::kProgress) {
      control::Progress step = TRY(control::Decode<control::Progress>(payload));
      if (progress_ != nullptr) progress_->Show(step.what, step.fraction);
      continue;
    }
    if (progress_ != nullptr) progress_->Clear();
    if (received == type || received == other) return payload;
    return Exhausted("the enclave answered out of turn");
  }
}

Error EnclaveSession::Lost(Error error) {
  for (wire::Deadline end = After(kFailureWait); enclave_ != nullptr && std::chrono::steady_clock::now() < end;) {
    if (auto how = enclave_->HowItEnded()) {
      PrintLastWords(*enclave_, "enclave");
      return Exhausted("the enclave " + *how);
    }
    std::this_thread::sleep_for(kStartPoll);
  }
  return Exhausted("the connection to the enclave broke: " + error.message);
}

Error EnclaveSession::Explain(Error error) {
  if (worker_ == nullptr || error.code != ErrorCode::kUnavailable) return error;
  for (wire::Deadline end = After(kFailureWait); std::chrono::steady_clock::now() < end;) {
    if (auto how = worker_->HowItEnded()) {
      PrintLastWords(*worker_, "worker");
      error.message += "; the worker " + *how;
      return error;
    }
    std::this_thread::sleep_for(kStartPoll);
  }
  return error;
}

void EnclaveSession::PrintLastWords(const ChildProcess& child, const char* name) {
  if (progress_ != nullptr) progress_->Clear();
  std::string words = child.LastWords();
  if (!words.empty()) std::fprintf(stderr, "%s: %s\n", name, words.c_str());
}

Status EnclaveSession::SendGraph(const Graph& graph, control::MessageType type) {
  PieceSender sender([&](std::span<const std::byte> piece) { return Send(type, piece); });
  TRY(EncodeGraph(graph, [&](std::span<const std::byte> bytes) { return sender.Add(bytes); }));
  return sender.Flush();
}

Status EnclaveSession::SendPublicModel(const Graph& graph) {
  TRY(SendGraph(graph, control::MessageType::kPublic));
  return Send(control::MessageType::kPublic, {});
}

Result<control::ModelReport> EnclaveSession::SendModel(const Graph& graph) {
  TRY(SendGraph(graph, control::MessageType::kModel));
  return AwaitReady();
}

Result<control::ModelReport> EnclaveSession::SendSealedModel(const control::SealedModel& sealed,
                                                             const ByteSource& ciphertext) {
  std::vector<std::byte> announcement = control::Encode(sealed);
  Status announced = Send(control::MessageType::kSealed, announcement);
  Wipe(announcement);
  TRY(std::move(announced));
  return SendPieces(ciphertext);
}

Result<control::ModelReport> EnclaveSession::SendBrokeredModel(const control::BrokeredModel& model,
                                                               const ByteSource& ciphertext,
                                                               const KeepLease& keep_lease) {
  if (progress_ != nullptr) progress_->Show("getting the key", 0);
  TRY(Send(control::MessageType::kBrokered, control::Encode(model)));
  for (;;) {
    control::MessageType received;
    std::vector<std::byte> payload =
        TRY(AwaitOr(control::MessageType::kKeyReleased, control::MessageType::kLease, received));
    if (received == control::MessageType::kKeyReleased) return SendPieces(ciphertext);
    TRY(keep_lease(TRY(control::Decode<control::Lease>(payload)).sealed));
    TRY(Send(control::MessageType::kLeaseKept, {}));
  }
}

Result<control::ModelReport> EnclaveSession::SendPieces(const ByteSource& ciphertext) {
  std::vector<std::byte> piece(kPieceBytes);
  while (size_t size_bytes = TRY(ReadFull(ciphertext, piece))) {
    TRY(Send(control::MessageType::kModel, std::span(piece).first(size_bytes)));
  }
  return AwaitReady();
}

Result<control::ModelReport> EnclaveSession::AwaitReady() {
  TRY(Send(control::MessageType::kModel, {}));
  std::vector<std::byte> payload = TRY(Await(control::MessageType::kReady));
  control::ModelReport report = TRY(control::Decode<control::ModelReport>(payload));
  if (judge_) attested_ = TRY(JudgeNow(EnclaveJudge::Stage::kWithModel));
  return report;
}

Result<control::PlanReport> EnclaveSession::Plan(const control::PlanRequest& request) {
  TRY(Send(control::MessageType::kPlan, control::Encode(request)));
  std::vector<std::byte> payload = TRY(Await(control::MessageType::kPlanned));
  return control::Decode<control::PlanReport>(payload);
}

Result<control::RunReport> EnclaveSession::Run(const control::RunRequest& request) {
  TRY(Send(control::MessageType::kRun, control::Encode(request)));
  Result<std::vector<std::byte>> payload = Await(control::MessageType::kRan);
  if (payload.ok()) return control::Decode<control::RunReport>(*payload);
  Error error = std::move(payload).error();
  // Model and inputs were found well formed before: what is malformed now came from the accelerator.
  if (error.code == ErrorCode::kMalformed) error.code = ErrorCode::kIntegrity;
  return error;
}

}  // namespace soter
