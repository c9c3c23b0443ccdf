#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/graph/graph.h"

// The messages between the enclave and the worker (docs/spec/wire.md). The enclave asks, the worker answers; both
// sides treat what they receive as hostile. Frames carry them over a socket; where both can map the same memory,
// tensors and the start and progress of a run travel through it instead (common/wire/doorbell.h).
// Fields() lists a message's fields once, in encoding order (common/wire/field_codec.h).
namespace soter::wire {

inline constexpr uint16_t kProtocolVersion = 1;
inline constexpr uint32_t kFrameMagic = 0x52544f53;  // "SOTR"
inline constexpr size_t kFrameHeaderBytes = 24;      // magic u32, version u16, type u16, request u64, payload u64

enum class MessageType : uint16_t {
  kHello = 1, kHelloReply, kAttach, kLoadWeight, kLoadSegment, kDrop, kRun, kOutput, kDone, kAck, kFailed, kWake,
  kGoodbye, kLast = kGoodbye,
};

// Arithmetic is the product that a backend must compute. kFloat32 forbids TF32 and lower.
enum class Arithmetic : uint8_t { kFloat32 = 0, kTf32 = 1, kFloat16 = 2, kFloat64 = 3, kLast = kFloat64 };
// ArithmeticName is what users call it: fp32, tf32, fp16, fp64.
constexpr const char* ArithmeticName(Arithmetic arithmetic) {
  constexpr const char* kNames[] = {"fp32", "tf32", "fp16", "fp64"};
  return kNames[static_cast<size_t>(arithmetic)];
}

// Port is where and how one input or output of a segment crosses. planes > 1: that many tensors of the type follow
// one another (residue arithmetic); every backend today accepts 1.
struct Port {
  TensorType type;
  Layout layout = Layout::kDense;
  uint8_t planes = 1;
  uint64_t offset = 0;  // in the shared region, a multiple of 64; 0 and unused where there is none
  bool operator==(const Port&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("type", s.type), f("layout", s.layout), f("planes", s.planes), f("offset", s.offset);
  }
};

// Hello opens a connection; HelloReply says who answers. What the reply claims proves nothing.
struct Hello {
  uint16_t protocol = kProtocolVersion;
  uint32_t threads = 1;  // that the worker should compute with
  bool operator==(const Hello&) const = default;
  static void Fields(auto& s, auto&& f) { f("protocol", s.protocol), f("threads", s.threads); }
};
struct HelloReply {
  uint16_t protocol = kProtocolVersion;
  std::string backend, device;
  std::vector<Arithmetic> arithmetics;
  bool shares_memory = false;  // whether Attach is worth trying
  bool operator==(const HelloReply&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("protocol", s.protocol), f("backend", s.backend), f("device", s.device), f("arithmetics", s.arithmetics);
    f("shares_memory", s.shares_memory);
  }
};

// Attach names a shared region that the enclave created; answered by Ack, or by Failed where it cannot be mapped:
// then the enclave falls back to frames with the tensors in them. A new Attach replaces the old region and forgets
// all segments.
struct Attach {
  std::string path;
  uint64_t size_bytes = 0;
  bool operator==(const Attach&) const = default;
  static void Fields(auto& s, auto&& f) { f("path", s.path), f("size_bytes", s.size_bytes); }
};

// LoadWeight is followed by the tensor's dense bytes in the same frame; answered by Ack.
struct LoadWeight {
  WeightId id = kNoWeight;
  TensorType type;
  bool operator==(const LoadWeight&) const = default;
  static void Fields(auto& s, auto&& f) { f("id", s.id), f("type", s.type); }
};

// LoadSegment carries the canonical encoding of a graph without symbols whose large initializers name uploaded
// weights. Outputs are listed in the order in which they become ready. Answered by Ack.
struct LoadSegment {
  uint32_t segment = 0;
  Arithmetic arithmetic = Arithmetic::kFloat32;
  std::vector<Port> inputs, outputs;
  std::vector<std::byte> graph;
  bool operator==(const LoadSegment&) const = default;
  static void Fields(auto& s, auto&& f) {
    f("segment", s.segment), f("arithmetic", s.arithmetic), f("inputs", s.inputs), f("outputs", s.outputs);
    f("graph", s.graph);
  }
};

// Drop forgets all segments, and all weights too if asked; answered by Ack.
struct Drop {
  bool weights = false;
  bool operator==(const Drop&) const = default;
  static void Fields(auto& s, auto&& f) { f("weights", s.weights); }
};

// Run starts a segment. Without a shared region the dense or laid-out bytes of all inputs follow in the same frame,
// in order; each output comes back as kOutput (index u32, then its bytes), then kDone. With a shared region only the
// frame types kWake and kFailed are used while running.
struct Run {
  uint32_t segment = 0;
  bool operator==(const Run&) const = default;
  static void Fields(auto& s, auto&& f) { f("segment", s.segment); }
};
struct Output {
  uint32_t index = 0;
  bool operator==(const Output&) const = default;
  static void Fields(auto& s, auto&& f) { f("index", s.index); }
};
struct Done {
  uint64_t compute_ns = 0;
  bool operator==(const Done&) const = default;
  static void Fields(auto& s, auto&& f) { f("compute_ns", s.compute_ns); }
};

// Failed answers any request that could not be done.
struct Failed {
  ErrorCode code = ErrorCode::kMalformed;
  std::string message;
  bool operator==(const Failed&) const = default;
  static void Fields(auto& s, auto&& f) { f("code", s.code), f("message", s.message); }
};

}  // namespace soter::wire
