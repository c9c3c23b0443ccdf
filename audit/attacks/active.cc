#include "audit/attacks/active.h"

#include <algorithm>
#include <cmath>

#include "audit/attacks/enclave_stage.h"
#include "audit/attacks/sandwich.h"
#include "audit/attacks/traffic.h"
#include "audit/attacks/two_layers.h"
#include "audit/linear/draw.h"

namespace soter::audit {
namespace {

constexpr double kRowsForEachUnknown = 4;  // about half of them find the ReLU active
constexpr double kDensities[] = {1, 0.3, 0.1};
constexpr size_t kMostBatches = 400;

double RootMeanSquare(const Tensor& tensor) {
  double power = 0;
  for (float value : tensor.As<float>()) power += static_cast<double>(value) * value;
  return std::sqrt(power / static_cast<double>(std::max<size_t>(1, tensor.As<float>().size())));
}

class ActiveAttack {
 public:
  ActiveAttack(const StaticGraph& ancestor, ChoosingAccelerator& accelerator, const ActiveEffort& effort)
      : ancestor_(ancestor), accelerator_(accelerator), effort_(effort),
        alignment_(Align(ancestor, accelerator.view())), scales_(ancestor, accelerator.view(), alignment_) {}

  Result<Guess> Run() {
    for (const EnclaveStage& stage : FindStages(ancestor_, accelerator_.view(), alignment_)) {
      Status attacked = stage.layers.size() == 1 ? SolveOne(stage) : WalkTwo(stage);
      if (attacked.ok()) continue;
      if (attacked.error().code != ErrorCode::kIntegrity) return attacked.error();
      refused_ += 1;
      break;  // the enclave that noticed has ended
    }
    guess_.findings = {{"batches asked", batches_}, {"queries asked", batches_ * static_cast<double>(Batch())},
                       {"stages attacked", stages_}, {"kinks crossed", kinks_}, {"answers refused", refused_},
                       {"operators recovered", static_cast<double>(guess_.layers.size())}};
    return std::move(guess_);
  }

 private:
  size_t Batch() const { return static_cast<size_t>(ancestor_.type(ancestor_.graph().inputs.front().value).shape[0]); }

  Result<Reply> Ask(const EnclaveStage& stage, Tensor answer) {
    float scale = static_cast<float>(scales_.Of(stage.entry));
    for (float& value : answer.MutableAs<float>()) value *= scale;
    batches_ += 1;
    return accelerator_.Ask({stage.segment, stage.output, std::move(answer)});
  }

  // Known is everything that the adversary knows of the values in a batch of which it chose one.
  Values Known(const EnclaveStage& stage, const Tensor& chosen, const Reply& reply) const {
    Values values;
    values.emplace(stage.entry, chosen.Clone());
    for (size_t i = 0; i < reply.answers.size(); ++i)
      values.emplace(ancestor_.graph().outputs[i], reply.answers[i].Clone());
    for (const auto& [segment, inputs] : reply.sent)
      for (size_t i = 0; i < inputs.size(); ++i) {
        ValueId seen = accelerator_.view().segments[segment].graph.graph().inputs[i].value;
        auto name = alignment_.names[segment].find(seen);
        if (name == alignment_.names[segment].end() || inputs[i].type() != ancestor_.type(name->second)) continue;
        Tensor plain = inputs[i].Clone();
        for (float& value : plain.MutableAs<float>()) value /= static_cast<float>(scales_.Of(name->second));
        values.emplace(name->second, std::move(plain));
      }
    return values;
  }

  // RandomAnswer has dense rows and sparse ones: a unit whose weights are mostly negative is active under few of them.
  Tensor RandomAnswer(const EnclaveStage& stage, Draw& draw) const {
    const SeenRun* honest = accelerator_.view().RunOf(stage.segment, 0);
    double size = honest == nullptr ? 1 : RootMeanSquare(honest->outputs[stage.output]) / scales_.Of(stage.entry);
    const Shape& shape = ancestor_.type(stage.entry).shape;
    Matrix values = draw.Gaussian(Batch(), static_cast<size_t>(ElementCount(shape).value()) / Batch(), size);
    for (size_t i = 0; i < values.rows(); ++i)
      for (double& value : values.row(i)) value *= draw.Uniform(0, 1) < kDensities[i % std::size(kDensities)];
    std::vector<float> floats = values.ToFloats();
    return Tensor::FromValues<float>(shape, std::span<const float>(floats));
  }

  // SolveOne asks with random answers until least squares has rows enough (sandwich.h).
  Status SolveOne(const EnclaveStage& stage) {
    const Layer& layer = alignment_.layers[stage.layers.front()];
    Draw draw(effort_.seed);
    stages_ += 1;
    std::vector<Values> queries;
    size_t rows = 0, wanted = static_cast<size_t>(kRowsForEachUnknown * static_cast<double>(layer.weight.columns() + 1));
    while (rows < wanted && queries.size() < kMostBatches) {
      Tensor chosen = RandomAnswer(stage, draw);
      queries.push_back(Known(stage, chosen, TRY(Ask(stage, chosen.Clone()))));
      const Shape& out = ancestor_.type(ancestor_.graph().nodes[layer.node].outputs[0]).shape;
      rows += static_cast<size_t>(ElementCount(out).value()) / layer.weight.rows();
    }
    Traffic traffic = TRY(Traffic::FromValues(ancestor_, std::move(queries)));
    std::optional<LayerGuess> solved = SolveFromTraffic(ancestor_, alignment_.layers, stage.layers.front(), traffic);
    if (solved.has_value()) guess_.layers.push_back(std::move(*solved));
    return {};
  }

  // WalkTwo needs two Linear whose result is an answer of the network.
  Status WalkTwo(const EnclaveStage& stage) {
    const Layer& first = alignment_.layers[stage.layers[0]];
    const Layer& second = alignment_.layers[stage.layers[1]];
    const Node& one = ancestor_.graph().nodes[first.node];
    const Node& two = ancestor_.graph().nodes[second.node];
    auto answer = std::ranges::find(ancestor_.graph().outputs, two.outputs[0]);
    bool linear = std::holds_alternative<Linear>(one.op) && std::holds_alternative<Linear>(two.op);
    if (!linear || answer == ancestor_.graph().outputs.end()) return {};
    stages_ += 1;
    size_t output = static_cast<size_t>(answer - ancestor_.graph().outputs.begin());
    auto oracle = [&](const Matrix& rows) { return AskRows(stage, ancestor_.type(one.inputs[0]), output, rows); };
    TwoLayersWalk walk = TRY(WalkTwoLayers(oracle, {WithBias(first), WithBias(second)}, effort_.most_units, effort_.seed));
    kinks_ += static_cast<double>(walk.units);
    if (walk.units == 0) return {};
    guess_.layers.push_back(WithoutBias(stage.layers[0], first, walk.found.first));
    guess_.layers.push_back(WithoutBias(stage.layers[1], second, walk.found.second));
    return {};
  }

  // AskRows evaluates a stage on any number of inputs of its first operator, a batch at a time.
  Result<Matrix> AskRows(const EnclaveStage& stage, const TensorType& type, size_t output, const Matrix& rows) {
    Matrix results;
    for (size_t first = 0; first < rows.rows(); first += Batch()) {
      Tensor wanted = TRY(Tensor::Allocate(type));
      std::span<float> values = wanted.MutableAs<float>();
      for (size_t i = 0; i < values.size(); ++i) {
        size_t row = std::min(first + i / rows.columns(), rows.rows() - 1);  // the last batch repeats its last row
        values[i] = static_cast<float>(rows(row, i % rows.columns()));
      }
      Reply reply = TRY(Ask(stage, Preimage(ancestor_, stage, wanted)));
      std::span<const float> answers = reply.answers[output].As<float>();
      size_t m = answers.size() / Batch();
      if (results.empty()) results = Matrix(rows.rows(), m);
      for (size_t i = 0; i < std::min(Batch(), rows.rows() - first); ++i)
        std::ranges::copy(answers.subspan(i * m, m), results.row(first + i).begin());
    }
    return results;
  }

  static Matrix WithBias(const Layer& layer) {
    Matrix bias(layer.weight.rows(), 1);
    for (size_t i = 0; i < layer.bias.size(); ++i) bias(i, 0) = layer.bias[i];
    return BesideEachOther(layer.weight, bias);
  }

  static LayerGuess WithoutBias(size_t index, const Layer& layer, const Matrix& found) {
    LayerGuess guess{index, Matrix(layer.weight.rows(), layer.weight.columns()), {}};
    for (size_t i = 0; i < found.rows(); ++i) {
      std::ranges::copy(found.row(i).first(layer.weight.columns()), guess.weight.row(i).begin());
      if (!layer.bias.empty()) guess.bias.push_back(found(i, layer.weight.columns()));
    }
    return guess;
  }

  const StaticGraph& ancestor_;
  ChoosingAccelerator& accelerator_;
  ActiveEffort effort_;
  Alignment alignment_;
  ValueScales scales_;
  Guess guess_;
  double batches_ = 0, stages_ = 0, kinks_ = 0, refused_ = 0;
};

}  // namespace

Result<Guess> AttackActively(const StaticGraph& ancestor, ChoosingAccelerator& accelerator, const ActiveEffort& effort) {
  return ActiveAttack(ancestor, accelerator, effort).Run();
}

}  // namespace soter::audit
