#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/wire/connection.h"

namespace soter {

struct CheckedSegment;

// AnswerPlace names one output of one run, for those who watch or change it.
struct AnswerPlace {
  uint64_t run = 0;  // counted from 0 over a connection
  uint32_t segment = 0;
  size_t index = 0;
  const wire::Port* port = nullptr;
  wire::Connection* connection = nullptr;
};

// Tampering is where a worker can be made to lie, for tests of what the enclave catches: the honest worker calls
// these methods, which do nothing. They see no more than a malicious worker would.
class Tampering {
 public:
  virtual ~Tampering() = default;

  // AllowsSharing: false refuses shared memory, so that every answer is a frame.
  virtual bool AllowsSharing() const { return true; }
  // WatchesInputs: true calls OnInputs.
  virtual bool WatchesInputs() const { return false; }
  // HoldsOutputs: true keeps all outputs back until the run is over, and then calls OnAllOutputs.
  virtual bool HoldsOutputs() const { return false; }

  // OnWeight may change a weight that was received.
  virtual void OnWeight(WeightId /*id*/, Tensor& /*weight*/) {}
  // OnSegment sees a segment that was loaded, and its graph as it was received.
  virtual void OnSegment(const CheckedSegment& /*segment*/, std::span<const std::byte> /*graph*/) {}
  // OnInputs sees what a run was given, before it is computed; each input with its port.
  virtual void OnInputs(uint64_t /*run*/, uint32_t /*segment*/, std::span<const std::span<const std::byte>> /*inputs*/,
                        std::span<const wire::Port> /*ports*/) {}
  // BeforeOutput may change a complete output before the enclave is told of it.
  virtual void BeforeOutput(const AnswerPlace& /*place*/, std::span<std::byte> /*output*/) {}
  // AfterOutput may change it after the enclave was told of it.
  virtual void AfterOutput(const AnswerPlace& /*place*/, std::span<std::byte> /*output*/) {}
  // OnAllOutputs may change all of a run's outputs, before the enclave is told of any.
  virtual void OnAllOutputs(uint64_t /*run*/, std::span<const std::span<std::byte>> /*outputs*/,
                            std::span<const wire::Port> /*ports*/) {}
  // BeforeReply may send other bytes in place of the honest frame; true when it did. `pieces` is the payload.
  virtual bool BeforeReply(uint64_t /*run*/, wire::MessageType /*type*/, uint64_t /*request*/,
                           std::span<const wire::Connection::Piece> /*pieces*/, wire::Connection& /*connection*/) {
    return false;
  }
};

}  // namespace soter
