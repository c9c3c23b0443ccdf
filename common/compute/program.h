#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/graph/bind.h"

namespace soter {

// Tuning says how the algorithm of a convolution is chosen: by timing the candidates while the program is compiled,
// or fixed (direct convolution), so that equal programs give equal bits.
enum class Tuning : uint8_t { kMeasured, kFixed };

// ProgramOptions fixes how a Program meets its neighbours.
struct ProgramOptions {
  int threads = 1;                     // of OpenMP, in Compile and in Run; the caller's own setting is restored
  std::vector<Layout> input_layouts;   // one per graph input; empty: all dense
  std::vector<Layout> output_layouts;  // one per graph output; empty: all dense
  Tuning tuning = Tuning::kMeasured;
  // How many bytes in all the weights may be packed larger than they are, for an algorithm that is faster then; what
  // Compile uses is taken off. Null: as many as it likes.
  size_t* spare_bytes = nullptr;
};

// WeightSource gives the data of an initializer while a Program packs it; called at most once per initializer, so
// that the caller may produce it on the spot and free it afterwards. Shapes, axes and other operands that only steer
// the compilation are read from the graph instead.
using WeightSource = std::function<Result<std::shared_ptr<const Tensor>>(const Initializer&)>;

// Program is a StaticGraph made ready to run on this machine's CPU with oneDNN: weights packed, layouts chosen,
// memory planned. Both sides of the trust boundary use it; it knows no secret.
class Program {
 public:
  // Compile prepares `graph`. It may fuse operators; values that are graph outputs are always materialised.
  // Errors: kUnsupported (an operator or type that no kernel here computes, naming the node), kExhausted, those of
  // `weights`.
  static Result<Program> Compile(const StaticGraph& graph, const WeightSource& weights,
                                 const ProgramOptions& options);

  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  // Run computes all outputs from all inputs. Pointers are 64-byte aligned, sizes as LaidOutBytes says.
  // `on_output(i)` is called as soon as output i is complete and will not change; it may be empty.
  // Later steps may read an output back: when a peer can write to its memory, give Run another buffer and copy.
  // Allocates nothing that grows with the tensors. Not thread-safe. After an error the outputs are undefined. Errors:
  // kInvalidArgument (data-dependent: a Gather index out of range).
  Status Run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
             const std::function<void(size_t)>& on_output = {});

  // NodeTimes runs once on the same buffers and returns the milliseconds of each node of the graph, in its order;
  // a node that was fused into another counts 0.
  Result<std::vector<double>> NodeTimes(std::span<const std::byte* const> inputs,
                                        std::span<std::byte* const> outputs);

  // The layouts in which this program would read each input and write each output with the least copying.
  std::vector<Layout> PreferredInputLayouts() const;
  std::vector<Layout> PreferredOutputLayouts() const;

  size_t weight_bytes() const;   // packed weights
  size_t scratch_bytes() const;  // activations and scratch

 private:
  struct State;
  explicit Program(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Relayout copies a float32 tensor of `type` from one layout to another. Both buffers as LaidOutBytes says.
void Relayout(const TensorType& type, Layout from, const std::byte* source, Layout to, std::byte* target);

}  // namespace soter
