#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "common/compute/fusion.h"
#include "untrusted/backend/cuda/schedule.h"
#include "untrusted/backend/cuda/step.h"

namespace soter::cuda {

// ConstantPlan is a tensor that has to be on the device, as `dtype`: an initializer, or one that planning made.
struct ConstantPlan {
  const Initializer* initializer = nullptr;
  std::shared_ptr<const Tensor> made;
  DType dtype = DType::kFloat32;
  BufferId buffer = kNoBuffer;
};

struct StepPlan {
  std::unique_ptr<Step> step;
  uint32_t node = 0;
  std::vector<BufferId> inputs, outputs;
};

// SegmentPlan is a segment ready to be put on a device.
struct SegmentPlan {
  std::vector<size_t> buffer_bytes;  // 0 for constants
  std::vector<StepPlan> steps;
  std::vector<ConstantPlan> constants;
  std::vector<BufferId> uploads, downloads;       // by graph input and output
  std::vector<size_t> upload_bytes, download_bytes;
};

// PlanSegment turns `graph` into steps, with the host's layouts at both ends and every linear operator computed in
// `arithmetic`; all else is float32. Refers to `graph` until it is loaded.
// Errors: kUnsupported, naming the node.
Result<SegmentPlan> PlanSegment(const StaticGraph& graph, wire::Arithmetic arithmetic,
                                std::span<const wire::Port> inputs, std::span<const wire::Port> outputs);

// Builder is what the lowering functions (lower.h) are written against.
class Builder {
 public:
  Builder(const StaticGraph& graph, wire::Arithmetic arithmetic) : graph_(graph), arithmetic_(arithmetic) {}

  const StaticGraph& graph() const { return graph_; }
  const TensorType& type(ValueId value) const { return graph_.type(value); }
  wire::Arithmetic arithmetic() const { return arithmetic_; }
  // The element type of products in arithmetic(): float16, float64, or float32 (also for TF32).
  DType product_dtype() const;
  void Begin(uint32_t node) { node_ = node; }

  // Read returns a dense buffer with `value`, as its own type or converted from float32 to `dtype`.
  Result<BufferId> Read(ValueId value);
  Result<BufferId> ReadAs(ValueId value, DType dtype);

  // Constant is the value of a small operand that must be known now. Integers: of int64. Errors: kUnsupported.
  Result<const Tensor*> Constant(ValueId value) const;
  Result<std::vector<int64_t>> Integers(ValueId value) const;

  // Keep makes a constant of planning's own.
  BufferId Keep(Tensor tensor);
  BufferId NewBuffer(size_t size_bytes);

  // Emit appends a step. Define and Alias say where a value is found: in a step's output, or in another buffer.
  void Emit(std::unique_ptr<Step> step, std::vector<BufferId> inputs, std::vector<BufferId> outputs);
  BufferId Define(ValueId value);
  void Alias(ValueId value, BufferId buffer) { buffers_[value] = buffer; }

  // AddInput and AddOutput cross the edges of the segment. An output is written by a step of its own when its buffer
  // is none that a step wrote.
  Status AddInput(const wire::Port& port, ValueId value);
  Status AddOutput(const wire::Port& port, ValueId value);

  SegmentPlan Take() && { return std::move(plan_); }

 private:
  bool WrittenByStep(BufferId buffer) const;

  const StaticGraph& graph_;
  wire::Arithmetic arithmetic_;
  uint32_t node_ = 0;
  std::map<ValueId, BufferId> buffers_;
  std::map<std::pair<ValueId, DType>, BufferId> converted_;
  SegmentPlan plan_;
};

}  // namespace soter::cuda
