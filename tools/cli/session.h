#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "common/base/stream.h"
#include "common/graph/graph.h"
#include "common/wire/connection.h"
#include "common/wire/control.h"
#include "tools/cli/child_process.h"
#include "tools/cli/enclave_judge.h"
#include "tools/cli/progress.h"

namespace soter {

struct EnclaveOptions {
  control::Settings settings;    // `worker` is filled in here
  std::string worker = "auto";   // auto, cpu, cuda, or the address of one that runs already
  std::string accelerator_model; // speed that a worker of ours models; empty: none
  bool needs_worker = true;      // false where nothing will run: no worker is started
  std::string enclave;           // where one that is started apart connects to, HOST:PORT; empty: start one
  std::string enclave_policy;    // what it must prove before it gets a model; empty: nothing
  std::vector<std::string> enclave_collateral;
  std::string dev_key;           // of the development TEE that is started here; empty: one of its own
  std::string record_directory;  // where a worker of ours writes what it receives; empty: nowhere
};

// EnclaveSession is one enclave with one model, and the worker beside it: both are started here, and both end with
// the session. Errors of every method are the enclave's own, except kExhausted for an enclave that cannot be started
// or died, and kUnavailable for such a worker; what a dead child wrote last is printed to standard error.
class EnclaveSession {
 public:
  // Start brings up both and sends the settings. With a policy, the enclave has proven itself before it gets them.
  // Errors: also kAuth (it is refused), kInvalidArgument (an enclave apart without a policy).
  static Result<std::unique_ptr<EnclaveSession>> Start(const EnclaveOptions& options, Progress* progress);

  // StartForEvidence starts an enclave that will get no model, and no worker. One that is apart needs no policy: what
  // it proves is for others to judge.
  static Result<std::unique_ptr<EnclaveSession>> StartForEvidence(const EnclaveOptions& options, Progress* progress);

  // SendPublicModel goes before SendModel, under ennclave.
  Status SendPublicModel(const Graph& graph);
  Result<control::ModelReport> SendModel(const Graph& graph);
  // SendSealedModel has the enclave open a sealed file; `ciphertext` is the file's bytes.
  Result<control::ModelReport> SendSealedModel(const control::SealedModel& sealed, const ByteSource& ciphertext);
  // SendBrokeredModel has the enclave get the key itself first; `keep_lease` puts a lease on disk.
  using KeepLease = std::function<Status(std::span<const std::byte> lease)>;
  Result<control::ModelReport> SendBrokeredModel(const control::BrokeredModel& model, const ByteSource& ciphertext,
                                                 const KeepLease& keep_lease);
  Result<control::PlanReport> Plan(const control::PlanRequest& request);
  Result<control::RunReport> Run(const control::RunRequest& request);

  // Evidence returns what the enclave answers to `nonce`, as a JSON bundle. It is judged by whoever asked for it.
  Result<std::vector<std::byte>> Evidence(ByteView nonce);

  // attested is what the enclave proved of itself, with the model; nothing where no policy was given.
  const std::optional<EvidenceClaims>& attested() const { return attested_; }

 private:
  explicit EnclaveSession(Progress* progress) : progress_(progress) {}
  Status Open(const EnclaveOptions& options);
  Result<UniqueFd> AcceptEnclave(const EnclaveOptions& options);
  Result<EvidenceClaims> JudgeNow(EnclaveJudge::Stage stage);
  Status StartWorker(const EnclaveOptions& options);
  Status StartEnclave(const EnclaveOptions& options);
  Status AwaitEnclave(const EnclaveOptions& options);
  Status WaitForWorker(const wire::Address& address, const std::string& asked);
  Result<control::ModelReport> SendPieces(const ByteSource& ciphertext);
  Status SendGraph(const Graph& graph, control::MessageType type);
  Result<control::ModelReport> AwaitReady();
  Status Send(control::MessageType type, std::span<const std::byte> payload);
  // Await returns the payload of the next message, which must be of `type`. Progress is shown, Failed is an error.
  Result<std::vector<std::byte>> Await(control::MessageType type);
  // AwaitOr does the same where `other` may come in its place; which of them came is in `received`.
  Result<std::vector<std::byte>> AwaitOr(control::MessageType type, control::MessageType other,
                                         control::MessageType& received);
  Error Lost(Error error);        // the connection to the enclave broke: says how the enclave ended
  Error Explain(Error error);     // adds how our worker ended to an error that it caused
  void PrintLastWords(const ChildProcess& child, const char* name);

  Progress* progress_;
  std::unique_ptr<ScratchDirectory> scratch_;
  std::unique_ptr<ChildProcess> worker_, enclave_;
  std::unique_ptr<wire::Connection> connection_;
  std::optional<EnclaveJudge> judge_;
  std::optional<Certificate> link_;  // the enclave's, where it is not on this machine's own socket
  std::optional<EvidenceClaims> attested_;
  std::string worker_address_;
  control::WorkerKind worker_kind_ = control::WorkerKind::kCpu;
};

}  // namespace soter
