#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/graph/bind.h"
#include "common/wire/message.h"

namespace soter {

// BackendInfo is what a worker says of the device it computes on.
struct BackendInfo {
  std::string name, device;
  std::vector<wire::Arithmetic> arithmetics;  // that LoadSegment accepts
};

// Backend computes segments on one device, for one client. It knows no masks, keys or plans. The worker has checked
// whatever it hands over: ids are new or known, types agree with the graph, buffers have the size of their port.
// Called by one thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual BackendInfo info() const = 0;

  // OnRegion tells where shared tensors will lie from now on (nowhere, when empty), before any segment that uses
  // it is loaded: a device can register the memory and copy from it directly.
  virtual Status OnRegion(std::span<std::byte> /*region*/) { return {}; }

  // LoadWeight keeps a tensor that later segments refer to. Errors: kExhausted.
  virtual Status LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) = 0;

  // LoadSegment prepares `graph` so that Run need not allocate. `inputs` and `outputs` tell the layout of each
  // of the graph's inputs and outputs. Errors: kUnsupported, kExhausted.
  virtual Status LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                             std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) = 0;

  // Run computes a loaded segment. Buffers are 64-byte aligned; `on_output(i)` must be called once output i is
  // complete and will not change, in any order, so that it can leave while the rest is computed.
  // Errors: kInvalidArgument (the data: an index out of range), kUnavailable (the device is gone).
  virtual Status Run(uint32_t segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
                     const std::function<void(size_t)>& on_output) = 0;

  // DropSegments forgets all segments, DropWeights all weights.
  virtual void DropSegments() = 0;
  virtual void DropWeights() = 0;
};

// BackendFactory makes a backend for a client that asked for `threads`.
using BackendFactory = std::function<Result<std::unique_ptr<Backend>>(uint32_t threads)>;

}  // namespace soter
