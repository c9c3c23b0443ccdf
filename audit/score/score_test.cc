// Scores against known truths: what counts as close, as stolen, and what is refused.

#include "audit/score/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/score/behaviour.h"
#include "audit/testing/small_network.h"

namespace soter::audit {
namespace {

using ::testing::HasSubstr;

class ScoreTest : public ::testing::Test {
 protected:
  ScoreTest() {
    std::vector<float> values = Draw(2).Gaussian(1, 8 * 2 * 16).ToFloats();
    batch_ = Tensor::FromValues<float>({8, 2, 4, 4}, std::span<const float>(values));
  }
  Result<std::vector<LayerScore>> Score(const Guess& guess) {
    return ScoreGuess(ancestor_, truth_, guess, std::span(&batch_, 1));
  }
  // GuessOf layer 1 is `share` of the way from the ancestor to the truth.
  Guess GuessOf(double share) {
    Matrix step = truths_[1].weight - publics_[1].weight;
    Guess guess;
    guess.layers.push_back({1, publics_[1].weight + share * step, {}});
    return guess;
  }

  SmallNetwork public_{5}, private_ = public_.Near(0.2, 6);
  StaticGraph ancestor_ = public_.Bound(), truth_ = private_.Bound();
  std::vector<Layer> publics_ = LinearLayers(ancestor_), truths_ = LinearLayers(truth_);
  Tensor batch_;
};

TEST_F(ScoreTest, TheShareThatStaysHidden) {
  for (double share : {0.0, 0.25, 1.0}) {
    std::vector<LayerScore> scores = Score(GuessOf(share)).value();
    ASSERT_EQ(scores.size(), 3u);
    EXPECT_NEAR(scores[1].adp, 1 - share, 1e-9);
    EXPECT_NEAR(scores[1].relative_error, 1 - share, 1e-9);
    EXPECT_NEAR(scores[1].r2, 1 - (1 - share) * (1 - share), 1e-9);
    EXPECT_TRUE(scores[1].guessed);
    EXPECT_FALSE(scores[0].guessed);
    EXPECT_EQ(scores[0].adp, 1);
  }
}

TEST_F(ScoreTest, AGuessFurtherAwayThanTheAncestorShows) {
  LayerScore score = Score(GuessOf(-3)).value()[1];
  EXPECT_GT(score.relative_error, 1);
  EXPECT_LT(score.r2, 0);
}

TEST_F(ScoreTest, WhereNothingWasChangedNothingIsStolen) {
  Guess guess = GuessOf(1);
  std::vector<LayerScore> scores = ScoreGuess(ancestor_, ancestor_, guess, std::span(&batch_, 1)).value();
  EXPECT_EQ(scores[1].adp, 1);
}

TEST_F(ScoreTest, GuessesThatFitNoOperator) {
  Guess beyond = GuessOf(1), narrow = GuessOf(1);
  beyond.layers[0].layer = 3;
  narrow.layers[0].weight = Matrix(6, 47);
  for (const Guess* guess : {&beyond, &narrow}) {
    EXPECT_THAT(Score(*guess).error().message, HasSubstr("not there, or of another shape"));
    EXPECT_EQ(Score(*guess).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(ScoreTest, NetworksOfAnotherArchitecture) {
  SmallNetwork cut{5};
  cut.graph.nodes.pop_back();
  cut.graph.outputs = {cut.activated};
  std::erase_if(cut.graph.initializers, [&](const Initializer& i) {
    return std::ranges::none_of(cut.graph.nodes, [&](const Node& node) { return std::ranges::count(node.inputs, i.value) > 0; });
  });
  EXPECT_THAT(ScoreGuess(ancestor_, cut.Bound(), GuessOf(1), std::span(&batch_, 1)).error().message,
              HasSubstr("different numbers of operators"));
}

TEST_F(ScoreTest, ASubstituteHasTheGuessedWeightsAndItsOwnBiases) {
  Guess guess = GuessOf(1);
  Graph changed = Substitute(public_.graph, ancestor_, guess);
  std::vector<Shape> shapes = {{8, 2, 4, 4}};
  std::vector<Layer> layers = LinearLayers(Bind(ValidatedGraph::Validate(changed).value(), shapes).value());
  EXPECT_LT(Norm(layers[1].weight - truths_[1].weight), 1e-6);
  EXPECT_EQ(layers[1].bias, publics_[1].bias);
  EXPECT_EQ(Norm(layers[0].weight - publics_[0].weight), 0);
}

TEST_F(ScoreTest, TheAdversaryTakesWhatComesClosestForItsFreedom) {
  Guess scaled = GuessOf(1), far, certain = GuessOf(0.5);
  far.layers.push_back({1, Draw(8).Gaussian(6, 48), {}});
  std::vector<Guess> guesses = {far, scaled};
  EXPECT_EQ(Norm(BestPerLayer(ancestor_, guesses).layers[0].weight - scaled.layers[0].weight), 0);
  scaled.layers[0].unknowns = 287;  // of 288: that it is close says nothing
  far.layers[0].weight = publics_[1].weight + Draw(8).Gaussian(6, 48, 0.1);
  guesses = {far, scaled};
  EXPECT_EQ(Norm(BestPerLayer(ancestor_, guesses).layers[0].weight - far.layers[0].weight), 0);
  certain.layers[0].certain = true;
  guesses = {certain, scaled};
  EXPECT_EQ(Norm(BestPerLayer(ancestor_, guesses).layers[0].weight - certain.layers[0].weight), 0);
  EXPECT_TRUE(BestPerLayer(ancestor_, {}).layers.empty());
}

TEST_F(ScoreTest, BehaviourOfTheVictimItselfIsPerfect) {
  ValidatedGraph victim = ValidatedGraph::Validate(private_.graph).value();
  Tensor answers = Answers(victim, batch_).value();
  Tensor labels = Tensor::Allocate({DType::kInt64, {8}}).value();
  for (size_t i = 0; i < 8; ++i) {
    std::span<const float> row = answers.As<float>().subspan(4 * i, 4);
    labels.MutableAs<int64_t>()[i] = std::ranges::max_element(row) - row.begin();
  }
  Behaviour behaviour = Judge(victim, victim, {batch_, labels, batch_}).value();
  EXPECT_EQ(behaviour.accuracy, 1);
  EXPECT_EQ(behaviour.fidelity, 1);
  Tensor few = Tensor::FromValues<int64_t>({2}, {0, 1});
  EXPECT_THAT(Judge(victim, victim, {batch_, few, batch_}).error().message, HasSubstr("one label for each answer"));
}

TEST(MembershipAccuracyTest, ConfidenceThatTellsAndConfidenceThatDoesNot) {
  std::vector<double> high(20, 0.9), low(20, 0.4), same(20, 0.4);
  EXPECT_EQ(MembershipAccuracy(high, low), 1);
  EXPECT_EQ(MembershipAccuracy(low, same), 0.5);
  EXPECT_EQ(MembershipAccuracy({}, {}), 0.5);
}

}  // namespace
}  // namespace soter::audit
