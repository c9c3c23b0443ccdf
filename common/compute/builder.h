#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/compute/fusion.h"
#include "common/compute/kernel.h"
#include "common/compute/program.h"

namespace soter::compute {

using BufferId = uint32_t;
inline constexpr BufferId kNoBuffer = UINT32_MAX;

// Home is who owns a buffer's memory.
enum class Home : uint8_t { kArena, kInput, kOutput, kConstant };

struct BufferPlan {
  Home home = Home::kArena;
  uint32_t index = 0;         // of the graph input, graph output or constant
  size_t size_bytes = 0;
  BufferId root = kNoBuffer;  // the buffer whose memory this one shares; itself when its own
};

// TakeOver names the inputs of a step whose memory its first output may be, when nothing else reads it afterwards.
using TakeOver = std::optional<uint32_t>;
inline constexpr uint32_t kAnyInput = UINT32_MAX;  // elementwise: whichever has the size

struct StepPlan {
  std::unique_ptr<Kernel> kernel;
  uint32_t node = 0;  // whose time this counts as
  std::vector<BufferId> inputs, outputs;
  BufferId scratch = kNoBuffer;
  TakeOver take_over;             // input whose memory output 0 may be
  std::vector<size_t> completes;  // graph outputs that are final after this step
};

struct OutputPlan {
  ValueId value;
  Layout layout = Layout::kDense;
};

struct StepOptions {
  size_t scratch_bytes = 0;
  TakeOver take_over = {};
};

// Builder turns units into steps over buffers: it knows in which layouts each value is at hand, inserts the
// copies between layouts, and fetches weights. The lowering functions (lower.h) are written against it.
class Builder {
 public:
  Builder(const StaticGraph& graph, const WeightSource& weights, const ProgramOptions& options);

  const StaticGraph& graph() const { return graph_; }
  const TensorType& type(ValueId value) const { return graph_.type(value); }
  Tuning tuning() const { return options_.tuning; }
  // TakeSpare tells whether a weight may be packed `extra_bytes` larger than it is, and counts them if so.
  bool TakeSpare(size_t extra_bytes);
  // Whether the convolution that is node `node` is computed by Winograd's algorithm (conv_choice.h).
  void UseWinograd(uint32_t node) { winograd_.insert(node); }
  bool UsesWinograd(uint32_t node) const { return winograd_.contains(node); }
  void Begin(const Unit& unit) { node_ = unit.node; }

  // LayoutOf returns the layout in which `value` was computed.
  Layout LayoutOf(ValueId value) const;

  // Read returns a buffer with `value` in `layout`, converting it when needed. Errors: those of the weight source.
  Result<BufferId> Read(ValueId value, Layout layout = Layout::kDense);

  // Fetch returns an initializer for packing. Errors: those of the weight source; kUnsupported (not an initializer).
  Result<std::shared_ptr<const Tensor>> Fetch(ValueId value);

  // Constant returns the value of a small operand that must be known now. Errors: kUnsupported.
  Result<const Tensor*> Constant(ValueId value) const;

  // Integers returns a constant operand of int64 or int32. Errors: kUnsupported.
  Result<std::vector<int64_t>> Integers(ValueId value) const;

  // Keep takes over packed weights and returns them as a buffer.
  BufferId Keep(Buffer buffer);

  // Emit appends a step that defines `outputs`.
  Status Emit(std::unique_ptr<Kernel> kernel, std::vector<BufferId> inputs, std::vector<OutputPlan> outputs,
              StepOptions options = {});

  // Alias defines `output` as the memory of `buffer`, without a step.
  Status Alias(ValueId output, BufferId buffer, Layout layout);

  // Finish appends what is left for graph outputs that no step computes.
  Status Finish();

  std::vector<BufferPlan>& buffers() { return buffers_; }
  std::vector<StepPlan>& steps() { return steps_; }
  std::vector<std::shared_ptr<const Tensor>>& tensors() { return tensors_; }
  std::vector<Buffer>& packed() { return packed_; }
  const std::byte* ConstantData(uint32_t index) const { return constants_[index]; }
  std::vector<Layout> PreferredInputLayouts() const;
  std::vector<Layout> PreferredOutputLayouts() const;

 private:
  struct Version {
    Layout layout;
    BufferId buffer;
  };

  Layout OutputLayout(size_t i) const {
    return options_.output_layouts.empty() ? Layout::kDense : options_.output_layouts[i];
  }
  BufferId NewBuffer(Home home, uint32_t index, size_t size_bytes);
  BufferId Convert(ValueId value, Version from, Layout to);
  BufferId Define(const OutputPlan& output);
  Status Deliver(ValueId value);
  Status CopyToOutput(ValueId value, size_t output);
  BufferId ConvertConstant(ValueId value, Version from, Layout to);
  Status ReadConstant(ValueId value);
  bool WantsOutput(ValueId value) const { return !outputs_of_[value].empty(); }

  const StaticGraph& graph_;
  const WeightSource& weights_;
  const ProgramOptions& options_;
  uint32_t node_ = 0;
  std::set<uint32_t> winograd_;
  std::vector<std::vector<Version>> versions_;        // of each value, the computed one first
  std::vector<std::vector<size_t>> outputs_of_;       // graph outputs that each value is
  std::vector<bool> delivered_;                       // of each graph output
  std::vector<std::optional<Layout>> wanted_;         // layout in which each value was read first
  std::map<ValueId, std::shared_ptr<const Tensor>> fetched_;
  std::vector<uint32_t> uses_left_;                   // of each initializer's value
  std::vector<BufferPlan> buffers_;
  std::vector<StepPlan> steps_;
  std::vector<std::shared_ptr<const Tensor>> tensors_;  // initializers used as they are
  std::vector<Buffer> packed_;
  std::vector<std::byte*> constants_;
};

}  // namespace soter::compute
