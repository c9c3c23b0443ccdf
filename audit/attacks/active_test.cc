// An accelerator that chooses its answers, against an enclave that is an evaluator: what it finds, and what stops it.

#include <gtest/gtest.h>

#include <numeric>

#include "audit/attacks/active.h"
#include "audit/attacks/enclave_stage.h"
#include "audit/score/score.h"
#include "audit/testing/small_network.h"

namespace soter::audit {
namespace {

// SegmentOf is one operator as a segment of its own, its weight times `factor`.
StaticGraph SegmentOf(const StaticGraph& whole, size_t node, double factor) {
  const Node& source = whole.graph().nodes[node];
  Graph graph;
  ValueId x = graph.AddValue("x"), y = graph.AddValue("y");
  GraphInput input{x, DType::kFloat32, {}};
  for (int64_t extent : whole.type(source.inputs[0]).shape) input.shape.push_back(Dim::Constant(extent));
  graph.inputs.push_back(input);
  graph.outputs.push_back(y);
  Node copy{"", source.op, {x}, {y}};
  for (size_t i = 1; i < source.inputs.size(); ++i) {
    Tensor scaled = whole.initializer(source.inputs[i])->data->Clone();
    for (float& value : scaled.MutableAs<float>()) value *= static_cast<float>(factor);
    copy.inputs.push_back(graph.AddValue(""));
    TensorType type = scaled.type();
    graph.initializers.push_back({copy.inputs.back(), type, std::make_shared<const Tensor>(std::move(scaled))});
  }
  graph.nodes.push_back(std::move(copy));
  std::vector<Shape> shapes = {whole.type(source.inputs[0]).shape};
  return Bind(ValidatedGraph::Validate(std::move(graph)).value(), shapes).value();
}

constexpr double kFactor = 3;  // by which the mask scales what the accelerator computes

// FakeLoad offloads the nodes in `offloaded` and keeps the others; after `patience` chosen answers it refuses.
class FakeLoad : public ChoosingAccelerator {
 public:
  FakeLoad(const StaticGraph& truth, std::vector<size_t> offloaded, const Tensor& batch, size_t patience = SIZE_MAX)
      : truth_(truth), offloaded_(std::move(offloaded)), batch_(batch), patience_(patience) {
    for (size_t node : offloaded_) view_.segments.push_back({SegmentOf(truth, node, kFactor)});
    Values all = Evaluate(nullptr);
    for (size_t s = 0; s < offloaded_.size(); ++s) {
      const Node& node = truth_.graph().nodes[offloaded_[s]];
      SeenRun run{.segment = s};
      run.inputs.push_back(all.at(node.inputs[0]).Clone());
      run.outputs.push_back(Times(all.at(node.outputs[0]), kFactor));
      view_.runs.push_back(std::move(run));
    }
    OwnQuery own;
    own.inputs.push_back(batch.Clone());
    own.outputs.push_back(all.at(truth.graph().outputs.front()).Clone());
    view_.queries.push_back(std::move(own));
  }

  const View& view() const override { return view_; }

  Result<Reply> Ask(const Choice& choice) override {
    if (patience_-- == 0) return IntegrityError("a result failed its check");
    Values all = Evaluate(&choice);
    Reply reply;
    reply.answers.push_back(all.at(truth_.graph().outputs.front()).Clone());
    for (size_t s = 0; s < offloaded_.size(); ++s)
      reply.sent[s].push_back(all.at(truth_.graph().nodes[offloaded_[s]].inputs[0]).Clone());
    return reply;
  }

 private:
  static Tensor Times(const Tensor& tensor, double factor) {
    Tensor scaled = tensor.Clone();
    for (float& value : scaled.MutableAs<float>()) value = static_cast<float>(value * factor);
    return scaled;
  }

  // Evaluate runs up to the chosen answer, and from it on.
  Values Evaluate(const Choice* choice) const {
    std::vector<size_t> before, after;
    size_t cut = choice == nullptr ? SIZE_MAX : offloaded_[choice->segment];
    for (size_t i = 0; i < truth_.graph().nodes.size(); ++i) (cut == SIZE_MAX || i <= cut ? before : after).push_back(i);
    ValueId input = truth_.graph().inputs.front().value;
    Values given;
    given.emplace(input, batch_.Clone());
    Values all = Evaluator::Make(truth_, before, std::span(&input, 1)).value().Run(given).value();
    all.merge(given);
    if (choice == nullptr) return all;
    ValueId chosen = truth_.graph().nodes[cut].outputs[0];
    Values from;
    from.emplace(chosen, Times(choice->answer, 1 / kFactor));
    all.insert_or_assign(chosen, from.at(chosen).Clone());
    Values rest = Evaluator::Make(truth_, after, std::span(&chosen, 1)).value().Run(from).value();
    for (auto& [value, tensor] : rest) all.insert_or_assign(value, std::move(tensor));
    return all;
  }

  const StaticGraph& truth_;
  std::vector<size_t> offloaded_;
  const Tensor& batch_;
  size_t patience_;
  View view_;
};

constexpr size_t kConv = 0, kSecond = 6;
constexpr size_t kFirstLayer = 1, kSecondLayer = 2;

class ActiveTest : public ::testing::Test {
 protected:
  ActiveTest() {
    std::vector<float> values = Draw(3).Gaussian(1, 8 * 2 * 16).ToFloats();
    batch_ = Tensor::FromValues<float>({8, 2, 4, 4}, std::span<const float>(values));
  }
  std::vector<LayerScore> Score(const Guess& guess) {
    return ScoreGuess(ancestor_, truth_, guess, std::span(&batch_, 1)).value();
  }

  SmallNetwork public_{5};
  StaticGraph ancestor_ = public_.Bound(), truth_ = public_.Near(0.2, 6).Bound();
  Tensor batch_;
};

TEST_F(ActiveTest, TwoKeptOperatorsAreWalked) {
  FakeLoad load(truth_, {kConv}, batch_);
  Guess guess = AttackActively(ancestor_, load, {}).value();
  EXPECT_EQ(guess.findings["stages attacked"], 1);
  EXPECT_GE(guess.findings["kinks crossed"], 4);
  EXPECT_EQ(guess.findings["queries asked"], guess.findings["batches asked"] * SmallNetwork::kBatch);
  std::vector<LayerScore> scores = Score(guess);
  EXPECT_LT(scores[kFirstLayer].adp, 0.7);
  EXPECT_FALSE(scores[0].guessed);
}

TEST_F(ActiveTest, OneKeptOperatorIsSolved) {
  FakeLoad load(truth_, {kConv, kSecond}, batch_);
  Guess guess = AttackActively(ancestor_, load, {}).value();
  EXPECT_EQ(guess.findings["kinks crossed"], 0);
  EXPECT_LT(Score(guess)[kFirstLayer].adp, 0.1);
}

TEST_F(ActiveTest, TheFirstRefusalEndsIt) {
  FakeLoad load(truth_, {kConv}, batch_, 0);
  Guess guess = AttackActively(ancestor_, load, {}).value();
  EXPECT_TRUE(guess.layers.empty());
  EXPECT_EQ(guess.findings["answers refused"], 1);
  EXPECT_EQ(guess.findings["batches asked"], 1);
}

TEST_F(ActiveTest, NothingIsKeptNothingIsAsked) {
  FakeLoad load(truth_, {kConv, 4, kSecond}, batch_);
  Guess guess = AttackActively(ancestor_, load, {}).value();
  EXPECT_EQ(guess.findings["batches asked"], 0);
  EXPECT_TRUE(guess.layers.empty());
}

TEST_F(ActiveTest, APreimageArrivesAsWanted) {
  FakeLoad load(truth_, {kConv}, batch_);
  std::vector<EnclaveStage> stages = FindStages(ancestor_, load.view(), Align(ancestor_, load.view()));
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_EQ(stages[0].path.size(), 3u);  // ReLU, pooling, reshape
  EXPECT_EQ(stages[0].layers, (std::vector<size_t>{kFirstLayer, kSecondLayer}));
  Matrix wanted = Draw(9).Gaussian(8, 48);
  for (double& value : wanted.values()) value = std::abs(value);
  std::vector<float> values = wanted.ToFloats();
  Tensor target = Tensor::FromValues<float>({8, 48}, std::span<const float>(values));
  Values given;
  given.emplace(stages[0].entry, Preimage(ancestor_, stages[0], target));
  ValueId entry = stages[0].entry;
  Evaluator evaluator = Evaluator::Make(ancestor_, stages[0].path, std::span(&entry, 1)).value();
  Values arrived = evaluator.Run(given).value();
  EXPECT_TRUE(std::ranges::equal(arrived.at(public_.flat).As<float>(), values));
}

}  // namespace
}  // namespace soter::audit
