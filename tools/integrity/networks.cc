#include "tools/integrity/networks.h"

#include <cstring>

#include "owner/zoo/zoo.h"
#include "tools/cli/child_process.h"
#include "tools/cli/model.h"

namespace soter::integrity {

// Tells the session what the segments look like, and shows the liar what each run is given.
class LyingSession::Lying : public InProcessAccelerator {
 public:
  explicit Lying(LyingSession& owner) : InProcessAccelerator(owner.record_), owner_(owner) {}

  Status LoadWeight(WeightId id, TensorView weight) override {
    if (owner_.liar_ == nullptr) return InProcessAccelerator::LoadWeight(id, weight);
    Tensor copy = TRY(Tensor::Allocate(weight.type));
    std::memcpy(copy.mutable_bytes().data(), weight.bytes.data(), weight.bytes.size());
    owner_.liar_->OnWeight(id, copy);
    return InProcessAccelerator::LoadWeight(id, copy.view());
  }

  Result<std::vector<Refusal>> LoadSegments(std::span<const Segment> segments) override {
    auto ports = [](const std::vector<TensorType>& types, const std::vector<Layout>& layouts) {
      std::vector<wire::Port> made;
      for (size_t i = 0; i < types.size(); ++i) made.push_back({.type = types[i], .layout = layouts[i]});
      return made;
    };
    for (const Segment& segment : segments) {
      owner_.inputs_[segment.id] = ports(segment.input_types, segment.input_layouts);
      owner_.outputs_[segment.id] = ports(segment.output_types, segment.output_layouts);
    }
    return InProcessAccelerator::LoadSegments(segments);
  }

  Status Start(uint32_t segment, Deadline deadline) override {
    std::vector<std::span<const std::byte>> given;
    for (size_t i = 0; i < owner_.inputs_[segment].size(); ++i) given.push_back(InputBuffer(segment, i));
    for (auto bytes : given) owner_.crossed_ += bytes.size();
    if (owner_.liar_ != nullptr && owner_.liar_->WatchesInputs())
      owner_.liar_->OnInputs(owner_.run_, segment, given, owner_.inputs_[segment]);
    Status started = InProcessAccelerator::Start(segment, deadline);
    ++owner_.run_;
    return started;
  }

 private:
  LyingSession& owner_;
};

void LyingSession::Tamper(uint32_t segment, size_t index, std::span<std::byte> bytes) {
  const std::vector<wire::Port>& ports = outputs_[segment];
  crossed_ += bytes.size();
  if (liar_ == nullptr) return;
  waiting_.push_back(bytes);
  if (!liar_->HoldsOutputs()) liar_->BeforeOutput({run_, segment, index, &ports[index], nullptr}, bytes);
  if (waiting_.size() < ports.size()) return;
  if (liar_->HoldsOutputs()) liar_->OnAllOutputs(run_, waiting_, ports);
  waiting_.clear();
}

Result<std::unique_ptr<LyingSession>> LyingSession::Create(ValidatedGraph model, const control::Settings& settings,
                                                           hostile::Liar* liar) {
  auto made = std::make_unique<LyingSession>();
  LyingSession& self = *made;
  self.liar_ = liar;
  self.record_.keeps = false, self.record_.threads = static_cast<int>(settings.threads);
  self.record_.tamper = [&self](uint32_t segment, size_t index, std::span<std::byte> bytes) { self.Tamper(segment, index, bytes); };
  self.session_ = TRY(Session::Create(std::move(model), settings, [&self]() -> Result<std::unique_ptr<Accelerator>> {
    return std::unique_ptr<Accelerator>(std::make_unique<Lying>(self));
  }));
  return made;
}

Result<control::RunReport> LyingSession::Run(const std::vector<Tensor>& inputs, uint32_t repeat) {
  control::RunRequest request;
  for (const Tensor& input : inputs) request.inputs.push_back(input.Clone());
  request.repeat = repeat;
  return session_->Run(request);
}

Result<ValidatedGraph> ZooModel(const std::string& name) {
  std::unique_ptr<ScratchDirectory> directory = TRY(ScratchDirectory::Make());
  std::string path = (directory->path() / (name + ".onnx")).string();
  TRY(WriteZooModel(name, path, 1));
  return LoadModel(path, nullptr, nullptr);
}

std::vector<Shape> InputShapes(const Graph& graph) {
  std::vector<Shape> shapes;
  for (const GraphInput& input : graph.inputs) {
    shapes.emplace_back();
    for (const Dim& dim : input.shape) shapes.back().push_back(dim.is_symbol() ? 1 : dim.extent());
  }
  return shapes;
}

std::vector<Tensor> RandomInputs(const Graph& graph, RandomSource& random) {
  std::vector<Tensor> inputs;
  std::vector<Shape> shapes = InputShapes(graph);
  for (size_t i = 0; i < shapes.size(); ++i) {
    inputs.push_back(Tensor::Allocate({graph.inputs[i].dtype, shapes[i]}).value());
    std::memset(inputs.back().mutable_bytes().data(), 0, inputs.back().bytes().size());
    if (graph.inputs[i].dtype != DType::kFloat32) continue;
    for (float& value : inputs.back().MutableAs<float>()) value = static_cast<float>(random.NextGaussian());
  }
  return inputs;
}

}  // namespace soter::integrity
