#include "common/compute/program.h"

#include <omp.h>

#include <chrono>
#include <new>

#include "common/compute/arena.h"
#include "common/compute/builder.h"
#include "common/compute/conv_choice.h"
#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"
#include "common/compute/tuning_cache.h"

namespace soter {

using namespace compute;

namespace {

// ThreadScope bounds the OpenMP threads of the calling thread while it lives.
class ThreadScope {
 public:
  explicit ThreadScope(int threads) : saved_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~ThreadScope() { omp_set_num_threads(saved_); }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int saved_;
};

struct Step {
  std::unique_ptr<Kernel> kernel;
  uint32_t node = 0;
  std::vector<std::byte*> inputs, outputs;
  std::byte* scratch = nullptr;
  std::vector<size_t> completes;
};

// Binding is a pointer of a step that the caller's buffers decide.
struct Binding {
  std::byte** slot;
  uint32_t index;
};

std::string NameOf(const Node& node) {
  return "node '" + node.name + "' (" + OpName(node.op) + ")";
}

// Guard turns what a library throws while a program is compiled into an Error.
template <typename F>
Status Guard(F function) {
  try {
    return function();
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_out_of_memory) return Exhausted("no memory for a oneDNN primitive");
    return Unsupported(std::string("oneDNN cannot compute this: ") + e.message);
  } catch (const std::bad_alloc&) {
    return Exhausted("no memory to compile a program");
  }
}

// LowerUnit lowers one unit; outputs without elements need no kernel, they are only reported.
Status LowerUnit(Builder& builder, const UnitContext& u) {
  std::vector<OutputPlan> outputs;
  int64_t elements = 0;
  for (ValueId value : u.node.outputs.size() == 1 ? std::vector{u.Out()} : u.node.outputs) {
    elements += Product(builder.type(value).shape);
    outputs.push_back({value});
  }
  if (elements == 0) return builder.Emit(MakeKernel([](const Arguments&) {}), {}, std::move(outputs));
  return Guard([&] { return std::visit([&](const auto& op) { return compute::Lower(u, op); }, u.node.op); });
}

Status LowerUnits(Builder& builder, const std::vector<Unit>& units) {
  TRY(Guard([&]() -> Status {
    ChooseConvAlgorithms(builder, units);
    return {};
  }));
  for (const Unit& unit : units) {
    const Node& node = builder.graph().graph().nodes[unit.node];
    builder.Begin(unit);
    Status status = LowerUnit(builder, {builder, node, unit});
    if (!status.ok()) return Annotate(status.error(), NameOf(node));
  }
  return Guard([&] { return builder.Finish(); });
}

Status CheckLayouts(const std::vector<Layout>& layouts, const std::vector<ValueId>& values,
                    const StaticGraph& graph) {
  if (layouts.empty()) return {};
  if (layouts.size() != values.size()) return InvalidArgument("one layout per graph input and output is needed");
  for (size_t i = 0; i < values.size(); ++i) {
    if (!LaidOutBytes(graph.type(values[i]), layouts[i]).ok())
      return InvalidArgument(TypeString(graph.type(values[i])) + " cannot lie as " + LayoutName(layouts[i]));
  }
  return {};
}

Status CheckOptions(const StaticGraph& graph, const ProgramOptions& options) {
  if (options.threads < 1) return InvalidArgument("a program needs at least 1 thread");
  std::vector<ValueId> inputs;
  for (const GraphInput& input : graph.graph().inputs) inputs.push_back(input.value);
  TRY(CheckLayouts(options.input_layouts, inputs, graph));
  return CheckLayouts(options.output_layouts, graph.graph().outputs, graph);
}

// Storage decides which buffers share memory and how long each block of memory is needed.
class Storage {
 public:
  explicit Storage(Builder& builder)
      : builder_(builder), last_(builder.buffers().size()), first_(builder.buffers().size()) {
    Measure();
    ShareInPlace();
  }

  BufferId Root(BufferId buffer) const {
    while (builder_.buffers()[buffer].root != buffer) buffer = builder_.buffers()[buffer].root;
    return buffer;
  }
  uint32_t first(BufferId root) const { return first_[root]; }
  uint32_t last(BufferId root) const { return last_[root]; }

 private:
  void Measure() {
    std::vector<StepPlan>& steps = builder_.steps();
    for (uint32_t s = 0; s < steps.size(); ++s) {
      for (BufferId b : steps[s].inputs) last_[Root(b)] = s;
      for (BufferId b : steps[s].outputs) first_[Root(b)] = last_[Root(b)] = s;
      if (steps[s].scratch != kNoBuffer) first_[steps[s].scratch] = last_[steps[s].scratch] = s;
    }
  }

  // ShareInPlace lets an output take over the memory of an operand that nothing reads afterwards.
  void ShareInPlace() {
    std::vector<StepPlan>& steps = builder_.steps();
    for (uint32_t s = 0; s < steps.size(); ++s) {
      if (!steps[s].take_over) continue;
      BufferPlan& output = builder_.buffers()[steps[s].outputs[0]];
      if (output.home != Home::kArena) continue;
      for (uint32_t i = 0; i < steps[s].inputs.size(); ++i) {
        if (*steps[s].take_over != kAnyInput && *steps[s].take_over != i) continue;
        BufferId root = Root(steps[s].inputs[i]);
        if (!CanTakeOver(steps[s], root, s, output.size_bytes)) continue;
        last_[root] = last_[steps[s].outputs[0]];
        output.root = root;
        break;
      }
    }
  }

  bool CanTakeOver(const StepPlan& step, BufferId root, uint32_t s, size_t size_bytes) const {
    const BufferPlan& plan = builder_.buffers()[root];
    if (plan.home != Home::kArena || plan.size_bytes != size_bytes || last_[root] != s) return false;
    int readers = 0;
    for (BufferId input : step.inputs) readers += Root(input) == root;
    return readers == 1;
  }

  Builder& builder_;
  std::vector<uint32_t> last_, first_;
};

}  // namespace

struct Program::State {
  int threads = 1;
  size_t node_count = 0, input_count = 0, output_count = 0;
  std::vector<Step> steps;
  std::vector<Binding> input_bindings, output_bindings;
  std::vector<std::shared_ptr<const Tensor>> tensors;
  std::vector<Buffer> packed;
  Buffer arena;
  std::vector<Layout> preferred_inputs, preferred_outputs;

  Status Assemble(Builder& builder);
  void Bind(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);
  Status RunSteps(const std::function<void(size_t)>& on_output, std::vector<double>* times);
};

Status Program::State::Assemble(Builder& builder) {
  Storage storage(builder);
  std::vector<BufferPlan>& buffers = builder.buffers();
  std::vector<Lifetime> lifetimes(buffers.size());
  for (BufferId b = 0; b < buffers.size(); ++b) {
    if (buffers[b].home == Home::kArena && storage.Root(b) == b)
      lifetimes[b] = {buffers[b].size_bytes, storage.first(b), storage.last(b)};
  }
  ArenaPlan plan = PlanArena(lifetimes);
  arena = TRY(TryBuffer(plan.size_bytes));

  for (StepPlan& planned : builder.steps()) {
    steps.push_back({.kernel = std::move(planned.kernel), .node = planned.node,
                     .inputs = std::vector<std::byte*>(planned.inputs.size()),
                     .outputs = std::vector<std::byte*>(planned.outputs.size()),
                     .completes = std::move(planned.completes)});
  }
  auto place = [&](BufferId buffer, std::byte** slot) {
    BufferId root = storage.Root(buffer);
    switch (buffers[root].home) {
      case Home::kArena: *slot = arena.bytes().data() + plan.offsets[root]; break;
      case Home::kConstant: *slot = const_cast<std::byte*>(builder.ConstantData(buffers[root].index)); break;
      case Home::kInput: input_bindings.push_back({slot, buffers[root].index}); break;
      case Home::kOutput: output_bindings.push_back({slot, buffers[root].index}); break;
    }
  };
  for (size_t s = 0; s < steps.size(); ++s) {
    const StepPlan& planned = builder.steps()[s];
    for (size_t i = 0; i < planned.inputs.size(); ++i) place(planned.inputs[i], &steps[s].inputs[i]);
    for (size_t i = 0; i < planned.outputs.size(); ++i) place(planned.outputs[i], &steps[s].outputs[i]);
    if (planned.scratch != kNoBuffer) place(planned.scratch, &steps[s].scratch);
  }
  return {};
}

void Program::State::Bind(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs) {
  for (const Binding& binding : input_bindings) *binding.slot = const_cast<std::byte*>(inputs[binding.index]);
  for (const Binding& binding : output_bindings) *binding.slot = outputs[binding.index];
}

Status Program::State::RunSteps(const std::function<void(size_t)>& on_output, std::vector<double>* times) {
  ThreadScope scope(threads);
  for (Step& step : steps) {
    auto start = std::chrono::steady_clock::now();
    TRY(step.kernel->Run({step.inputs, step.outputs, step.scratch}));
    if (times != nullptr)
      (*times)[step.node] +=
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (!on_output) continue;
    for (size_t output : step.completes) on_output(output);
  }
  return {};
}

Result<Program> Program::Compile(const StaticGraph& graph, const WeightSource& weights,
                                 const ProgramOptions& options) {
  TRY(CheckOptions(graph, options));
  ThreadScope scope(options.threads);
  auto state = std::make_unique<State>();
  Builder builder(graph, weights, options);
  TRY(LowerUnits(builder, PlanFusion(graph)));
  TuningCache::OfProcess().Keep();
  TRY(state->Assemble(builder));
  state->threads = options.threads;
  state->node_count = graph.graph().nodes.size();
  state->input_count = graph.graph().inputs.size();
  state->output_count = graph.graph().outputs.size();
  state->tensors = std::move(builder.tensors());
  state->packed = std::move(builder.packed());
  state->preferred_inputs = builder.PreferredInputLayouts();
  state->preferred_outputs = builder.PreferredOutputLayouts();
  return Program(std::move(state));
}

Program::Program(std::unique_ptr<State> state) : state_(std::move(state)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Status Program::Run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
                    const std::function<void(size_t)>& on_output) {
  if (inputs.size() != state_->input_count || outputs.size() != state_->output_count)
    return InvalidArgument("one buffer per graph input and output is needed");
  state_->Bind(inputs, outputs);
  return state_->RunSteps(on_output, nullptr);
}

Result<std::vector<double>> Program::NodeTimes(std::span<const std::byte* const> inputs,
                                               std::span<std::byte* const> outputs) {
  if (inputs.size() != state_->input_count || outputs.size() != state_->output_count)
    return InvalidArgument("one buffer per graph input and output is needed");
  state_->Bind(inputs, outputs);
  std::vector<double> times(state_->node_count);
  TRY(state_->RunSteps({}, &times));
  return times;
}

std::vector<Layout> Program::PreferredInputLayouts() const { return state_->preferred_inputs; }
std::vector<Layout> Program::PreferredOutputLayouts() const { return state_->preferred_outputs; }

size_t Program::weight_bytes() const {
  size_t bytes = 0;
  for (const Buffer& buffer : state_->packed) bytes += buffer.size();
  for (const auto& tensor : state_->tensors) bytes += tensor->bytes().size();
  return bytes;
}

size_t Program::scratch_bytes() const { return state_->arena.size(); }

void Relayout(const TensorType& type, Layout from, const std::byte* source, Layout to, std::byte* target) {
  if (StorageBytes(type, to) == 0) return;
  std::byte* in[] = {const_cast<std::byte*>(source)};
  std::byte* out[] = {target};
  if (SameMemory(type.shape, from, to)) ParallelCopy(target, source, StorageBytes(type, to));
  else CHECK(MakeReorder(type, from, to)->Run({in, out}).ok(), "a reorder between our layouts cannot fail");
}

}  // namespace soter
