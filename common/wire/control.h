#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/graph/graph.h"
#include "common/wire/message.h"

// The messages between `soter` (the owner's or operator's command line) and `soter-enclave`. The enclave connects to
// the address it was given, so that the same works inside a library OS that has TCP only. Same frames as
// common/wire/message.h, own magic; encoded by common/wire/control_codec.h (docs/spec/control.md).
// Fields() lists a message's fields once, in encoding order (common/wire/field_codec.h).
namespace soter::control {

inline constexpr uint32_t kFrameMagic = 0x4c544353;  // "SCTL"

enum class MessageType : uint16_t {
  kConfigure = 1,  // soter -> enclave: Settings
  kModel,          // soter -> enclave: payload = next piece of the canonical encoding (EncodeGraph); empty = end
  kReady,          // enclave -> soter: ModelReport, after the model was decoded
  kPlan,           // soter -> enclave: PlanRequest     kPlanned: PlanReport
  kPlanned,
  kRun,            // soter -> enclave: RunRequest      kRan: RunReport (after the last repeat)
  kRan,
  kProgress,       // enclave -> soter: Progress, at any time while it works
  kFailed,         // enclave -> soter: Failure; the enclave ends
  kSealed,         // soter -> enclave, before the pieces: SealedModel; the pieces are then those of the sealed file
  kAttest,         // soter -> enclave, before Configure or after Ready: AttestRequest     kAttested: Attested
  kAttested,
  kBrokered,       // soter -> enclave, in place of kSealed: BrokeredModel; the pieces follow kKeyReleased
  kLease,          // enclave -> soter: Lease, to be kept before anything else     kLeaseKept: no payload
  kLeaseKept,
  kKeyReleased,    // enclave -> soter: no payload; send the pieces
  kPublic,         // soter -> enclave, before the model, under ennclave: payload = next piece of the public model
  kLast = kPublic,
};

enum class Scheme : uint8_t { kInsecure, kVerified, kMlcapsule, kAegisdnn, kEnnclave, kSoter, kLast = kSoter };
// Objective says what placement is chosen for: the scheme's own rule, or the least expected latency within that rule.
enum class Objective : uint8_t { kPolicy, kLatency, kLast = kLatency };
enum class Check : uint8_t { kNone, kFingerprint, kFreivalds, kLast = kFreivalds };

// WorkerKind is what the worker was asked to compute on: rounding errors of a GPU's libraries have bounds of their own.
enum class WorkerKind : uint8_t { kCpu, kGpu, kLast = kGpu };
// OnExhausted says what becomes of the operators that the accelerator has no room for.
enum class OnExhausted : uint8_t { kEnclave, kRefuse, kLast = kRefuse };

// Settings fix a session. Everything secret is drawn inside the enclave.
struct Settings {
  Scheme scheme = Scheme::kSoter;
  double theta = 0.8;                  // fraction of the weight-bearing linear operators, 0 to 1
  Check check = Check::kFreivalds;
  double fingerprint_rate = 0.1;       // fingerprints for each row of a request, 0 to 1, rounded up
  uint32_t cornerstones = 8;           // per operator
  uint32_t threads = 2;                // of the enclave
  std::string worker;                  // address of the worker; empty when the scheme needs none
  uint32_t worker_threads = 2;
  wire::Arithmetic precision = wire::Arithmetic::kFloat32;  // of the accelerator's linear operators
  WorkerKind worker_kind = WorkerKind::kCpu;
  OnExhausted on_exhausted = OnExhausted::kEnclave;
  uint32_t timeout_ms = 10000;         // the longest wait for one answer of the accelerator
  std::optional<uint64_t> seed;        // development builds only: makes secrets repeatable
  bool force_unit_scales = false;      // development builds only: every scale is 1 (shows that the leak test works)
  bool digest_model = false;           // evidence will be asked for, so digest a model that is not sealed as well
  Objective objective = Objective::kPolicy;
  // What the accelerator computes, by the value that each operator makes (NodePlan::value): of aegisdnn in place of
  // its own choice, of soter in place of a random one.
  std::optional<std::vector<uint32_t>> placement;
  double deadline_ms = 0;              // of aegisdnn: the latency to keep to; 0: none
  double sdc_rate = 0.02;              // of aegisdnn without a deadline: the rate of harmful faults to stay below
  uint32_t fault_rounds = 16;          // of aegisdnn: faults injected in each layer at load, at most
  uint32_t private_layers = 0;         // of ennclave: linear operators that stay private at least; 0: 1
  static void Fields(auto& s, auto&& f) {
    f("scheme", s.scheme), f("theta", s.theta), f("check", s.check);
    f("fingerprint_rate", s.fingerprint_rate), f("cornerstones", s.cornerstones), f("threads", s.threads);
    f("worker", s.worker), f("worker_threads", s.worker_threads), f("precision", s.precision);
    f("worker_kind", s.worker_kind), f("on_exhausted", s.on_exhausted), f("timeout_ms", s.timeout_ms);
    f("seed", s.seed), f("force_unit_scales", s.force_unit_scales), f("digest_model", s.digest_model);
    f("objective", s.objective), f("placement", s.placement), f("deadline_ms", s.deadline_ms);
    f("sdc_rate", s.sdc_rate), f("fault_rounds", s.fault_rounds), f("private_layers", s.private_layers);
  }
};

// SealedModel announces a sealed file (docs/spec/sealed-model.md). Only a development TEE takes the key from here.
struct SealedModel {
  std::string identity;                // an age identity file: the secret key
  std::string signer;                  // a minisign public key file
  std::string signature;               // of the sealed file, in minisign's format
  uint64_t ciphertext_bytes = 0;
  static void Fields(auto& s, auto&& f) {
    f("identity", s.identity), f("signer", s.signer), f("signature", s.signature);
    f("ciphertext_bytes", s.ciphertext_bytes);
  }
};

// BrokeredModel announces a sealed file whose key the enclave gets itself: from a lease, while it lasts, and else from a
// broker (docs/spec/key-release.md).
struct BrokeredModel {
  std::string broker;                  // https://HOST[:PORT][/PATH]; empty: the lease alone
  std::string broker_ca;               // certificates in PEM: the broker's own, or of who signed it
  std::string kbs_version;             // of the protocol, as the broker knows it
  std::string resource;                // REPO/TYPE/TAG; empty: models/NAME/VERSION
  uint32_t broker_timeout_ms = 10000;  // for one answer
  bool sample_evidence = false;        // development builds only: be Trustee's `sample` TEE
  bool keep_lease = false;             // ask for a lease where none is left
  std::vector<std::byte> lease;        // empty: none yet
  std::string signer;                  // a minisign public key that the released one must be; empty: any
  std::string signature;               // of the sealed file, in minisign's format
  uint64_t ciphertext_bytes = 0;
  static void Fields(auto& s, auto&& f) {
    f("broker", s.broker), f("broker_ca", s.broker_ca), f("kbs_version", s.kbs_version), f("resource", s.resource);
    f("broker_timeout_ms", s.broker_timeout_ms), f("sample_evidence", s.sample_evidence);
    f("keep_lease", s.keep_lease), f("lease", s.lease), f("signer", s.signer), f("signature", s.signature);
    f("ciphertext_bytes", s.ciphertext_bytes);
  }
};
struct Lease {
  std::vector<std::byte> sealed;
  static void Fields(auto& s, auto&& f) { f("sealed", s.sealed); }
};

// AttestRequest asks for evidence that answers `nonce`, 16 to 64 bytes of the verifier's own choice.
struct AttestRequest {
  std::vector<std::byte> nonce;
  static void Fields(auto& s, auto&& f) { f("nonce", s.nonce); }
};
struct Attested {
  std::vector<std::byte> evidence;     // a JSON bundle (docs/spec/attestation.md, 2.1)
  static void Fields(auto& s, auto&& f) { f("evidence", s.evidence); }
};

// Tensors cross as type, then dense bytes.
struct NamedTensor {
  std::string name;
  Tensor tensor;
  static void Fields(auto& s, auto&& f) { f("name", s.name), f("tensor", s.tensor); }
};

struct PortInfo {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::vector<std::string> symbols;
  static void Fields(auto& s, auto&& f) {
    f("name", s.name), f("dtype", s.dtype), f("shape", s.shape), f("symbols", s.symbols);
  }
};
// ModelReport: inputs and outputs; in `shape` -1 stands for a symbol, whose name is in `symbols` (else "").
struct ModelReport {
  std::vector<PortInfo> inputs;
  std::vector<std::string> outputs;
  std::string tee;
  std::string notice;
  static void Fields(auto& s, auto&& f) {
    f("inputs", s.inputs), f("outputs", s.outputs), f("tee", s.tee), f("notice", s.notice);
  }
};

struct PlanRequest {
  std::vector<Shape> input_shapes;
  bool profile = true;                 // time each operator in the enclave
  bool predict = false;                // time both sides, and predict the latency
  std::vector<Tensor> samples;         // of aegisdnn: inputs to inject faults with; none: random ones
  static void Fields(auto& s, auto&& f) {
    f("input_shapes", s.input_shapes), f("profile", s.profile), f("predict", s.predict), f("samples", s.samples);
  }
};

// NodePlan says for one operator who computes it, under which mask and check, and why.
struct NodePlan {
  std::string name, op, type;          // type: of the first output, "float32[1, 64, 224, 224]"
  bool accelerator = false, masked = false, checked = false, linear = false;
  uint32_t stage = 0;                  // position in the order of execution; neighbours in one stage share a switch
  int64_t mul_adds = 0;
  double enclave_ms = 0;               // measured in the enclave when profiling was asked for
  double accelerator_ms = 0;           // measured by the enclave, with a prediction
  double fault_rate = -1;              // share of faults in its layer that change the answer; negative: not measured
  uint32_t value = 0;                  // that it computes: its name in Settings::placement
  std::string reason;                  // "picked at random", "rides along", "not homogeneous", "first ...", ...
  static void Fields(auto& s, auto&& f) {
    f("name", s.name), f("op", s.op), f("type", s.type), f("accelerator", s.accelerator);
    f("masked", s.masked), f("checked", s.checked), f("linear", s.linear), f("stage", s.stage);
    f("mul_adds", s.mul_adds), f("enclave_ms", s.enclave_ms), f("accelerator_ms", s.accelerator_ms);
    f("fault_rate", s.fault_rate), f("value", s.value), f("reason", s.reason);
  }
};
struct PlanReport {
  std::vector<NodePlan> nodes;
  uint32_t linear_total = 0, linear_offloaded = 0;
  int64_t mul_adds_total = 0, mul_adds_offloaded = 0;
  uint32_t switches = 0;               // per inference: one for each segment
  uint64_t bytes_sent = 0, bytes_received = 0;  // per inference, without checks that run at a rate
  uint64_t enclave_weight_bytes = 0, accelerator_weight_bytes = 0;
  double expected_ms = 0;              // predicted, or the sum of the enclave's own times; 0: nothing was timed
  bool predicted = false;              // from times of both sides
  double fault_rate = -1;              // of the plan, under aegisdnn; negative: not measured
  uint32_t faults = 0;                 // that were injected to find out
  std::string notice;                  // the honest line about what the scheme does not hide
  static void Fields(auto& s, auto&& f) {
    f("nodes", s.nodes), f("linear_total", s.linear_total), f("linear_offloaded", s.linear_offloaded);
    f("mul_adds_total", s.mul_adds_total), f("mul_adds_offloaded", s.mul_adds_offloaded);
    f("switches", s.switches), f("bytes_sent", s.bytes_sent), f("bytes_received", s.bytes_received);
    f("enclave_weight_bytes", s.enclave_weight_bytes);
    f("accelerator_weight_bytes", s.accelerator_weight_bytes), f("expected_ms", s.expected_ms);
    f("predicted", s.predicted), f("fault_rate", s.fault_rate), f("faults", s.faults), f("notice", s.notice);
  }
};

struct RunRequest {
  std::vector<Tensor> inputs;
  uint32_t repeat = 1;
  static void Fields(auto& s, auto&& f) { f("inputs", s.inputs), f("repeat", s.repeat); }
};

struct Latency {
  double trusted = 0, accelerator = 0, switching = 0, check = 0, total = 0, overlapped = 0, reported = 0;
  static void Fields(auto& s, auto&& f) {
    f("trusted", s.trusted), f("accelerator", s.accelerator), f("switching", s.switching);
    f("check", s.check), f("total", s.total), f("overlapped", s.overlapped), f("reported", s.reported);
  }
};
struct RunReport {
  std::vector<NamedTensor> outputs;
  uint8_t verified = 2;                // 0 no, 1 yes: every result passed its check, 2: the scheme checks none
  uint32_t trusted_operators = 0, accelerator_operators = 0, masked_operators = 0;
  uint32_t switches = 0;
  uint64_t bytes_sent = 0, bytes_received = 0;  // per inference, mean
  uint64_t checks_made = 0, checks_failed = 0;  // over all repeats
  std::vector<Latency> repeats;        // one for each, ms
  double load_ms = 0;                  // plan, pack, mask, upload
  std::string backend, device;
  std::vector<std::string> taken_back;  // operators that the accelerator did not take, and that the enclave computed
  std::string taken_back_because;       // in the accelerator's words
  std::string notice;
  static void Fields(auto& s, auto&& f) {
    f("outputs", s.outputs), f("verified", s.verified), f("trusted_operators", s.trusted_operators);
    f("accelerator_operators", s.accelerator_operators), f("masked_operators", s.masked_operators);
    f("switches", s.switches), f("bytes_sent", s.bytes_sent), f("bytes_received", s.bytes_received);
    f("checks_made", s.checks_made), f("checks_failed", s.checks_failed), f("repeats", s.repeats);
    f("load_ms", s.load_ms), f("backend", s.backend), f("device", s.device), f("taken_back", s.taken_back);
    f("taken_back_because", s.taken_back_because), f("notice", s.notice);
  }
};

struct Progress {
  std::string what;
  double fraction = 0;
  static void Fields(auto& s, auto&& f) { f("what", s.what), f("fraction", s.fraction); }
};
struct Failure {
  ErrorCode code = ErrorCode::kMalformed;
  std::string message;
  static void Fields(auto& s, auto&& f) { f("code", s.code), f("message", s.message); }
};

}  // namespace soter::control
