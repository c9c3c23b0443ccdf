#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/graph/graph.h"
#include "common/wire/message.h"
#include "trusted/claim/claim.h"

namespace soter {

// AcceleratorInfo is what an accelerator says of itself; it proves nothing.
struct AcceleratorInfo {
  std::string backend, device;
  std::vector<wire::Arithmetic> arithmetics;
  bool shares_memory = false;
};

// Refusal is a segment that the accelerator did not take: it has no room (kExhausted), or no way to compute an
// operator of it (kUnsupported).
struct Refusal {
  uint32_t segment = 0;
  Error why;
};

// Segment is a part of the network that runs on the accelerator in one go. Its graph has no symbols and refers to
// uploaded weights; outputs are in the order in which they become ready.
struct Segment {
  uint32_t id = 0;
  wire::Arithmetic arithmetic = wire::Arithmetic::kFloat32;
  Graph graph;
  std::vector<TensorType> input_types, output_types;
  std::vector<Layout> input_layouts, output_layouts;
};

// Accelerator is the engine's view of the untrusted device. Everything that it returns is a claim.
// One segment runs at a time: Start, Await each output in order, Finish.
// Errors of every method: kUnavailable (gone, or later than the deadline), kMalformed (an answer that no honest
// worker gives), kExhausted, kUnsupported.
class Accelerator {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  virtual ~Accelerator() = default;

  virtual const AcceleratorInfo& info() const = 0;

  // LoadWeight uploads a tensor once; segments refer to it by `id`.
  virtual Status LoadWeight(WeightId id, TensorView weight) = 0;
  // LoadSegments replaces all loaded segments; weights stay. Returns those that were refused; the others are loaded.
  virtual Result<std::vector<Refusal>> LoadSegments(std::span<const Segment> segments) = 0;

  // Forget drops all segments and weights.
  virtual Status Forget() = 0;

  // InputBuffer is the memory from which the accelerator will read input `index`: untrusted, write-only for us,
  // free to be written until Start.
  virtual std::span<std::byte> InputBuffer(uint32_t segment, size_t index) = 0;
  virtual Status Start(uint32_t segment, Deadline deadline) = 0;
  // Await returns output `index` as soon as it is ready, in untrusted memory that stays until the next Start.
  virtual Result<UntrustedTensor> Await(uint32_t segment, size_t index, Deadline deadline) = 0;
  // Finish ends the run; returns the nanoseconds of computing that the accelerator reports.
  virtual Result<uint64_t> Finish(uint32_t segment, Deadline deadline) = 0;

  virtual uint64_t bytes_sent() const = 0;      // payload bytes since construction, both ways
  virtual uint64_t bytes_received() const = 0;
};

}  // namespace soter
