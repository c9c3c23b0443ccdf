#include "tools/audit/run_attacks.h"

#include <chrono>

namespace soter::audit {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kRowsForActivations = 4;  // test inputs on which r2 is measured

// Ground is both networks bound to the shapes of one query.
struct Ground {
  StaticGraph ancestor, truth;
  Tensor inputs;
};

Result<Ground> MakeGround(const Victim& victim, size_t rows) {
  Tensor inputs = RowsOf(victim.test_inputs, 0, rows);
  std::vector<Shape> shapes = {inputs.shape()};
  StaticGraph ancestor = TRY(Bind(victim.ancestor, shapes)), truth = TRY(Bind(victim.truth, shapes));
  return Ground{std::move(ancestor), std::move(truth), std::move(inputs)};
}

}  // namespace

Status Score(const Victim& victim, const Guess& guess, Outcome& outcome) {
  Ground ground = TRY(MakeGround(victim, std::min(kRowsForActivations, RowCount(victim.test_inputs))));
  outcome.findings = guess.findings;
  outcome.layers = TRY(ScoreGuess(ground.ancestor, ground.truth, guess, std::span(&ground.inputs, 1)));
  ValidatedGraph substitute =
      TRY(ValidatedGraph::Validate(Substitute(victim.ancestor.graph(), ground.ancestor, guess)));
  outcome.behaviour = TRY(Judge(substitute, victim.truth, {victim.test_inputs, victim.test_labels, victim.member_inputs}));
  return {};
}

Result<std::vector<Outcome>> RunAttacks(const Victim& victim, const Target& target, std::span<const View> loads,
                                        std::span<const Attack> attacks, Progress* progress, Guess* best) {
  Ground ground = TRY(MakeGround(victim, 1));
  Knowledge knowledge{ground.ancestor, loads, target.masked};
  std::vector<Outcome> outcomes;
  std::vector<Guess> guesses;
  for (size_t i = 0; i < attacks.size(); ++i) {
    const Attack& attack = attacks[i];
    if (progress != nullptr)
      progress->Show(target.victim + ", " + target.scheme + ": " + attack.name,
                     static_cast<double>(i) / static_cast<double>(attacks.size()));
    Outcome outcome{.target = target, .attack = attack.name, .source = attack.source, .sees = attack.sees,
                    .measures_only = attack.measures_only};
    Clock::time_point start = Clock::now();
    Result<Guess> guess = attack.run(knowledge);
    outcome.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (guess.ok()) {
      TRY(Score(victim, *guess, outcome));
      guesses.push_back(std::move(guess).value());
    } else {
      outcome.error = guess.error().message;
    }
    outcomes.push_back(std::move(outcome));
  }
  Guess joined = BestPerLayer(ground.ancestor, guesses);
  Outcome all{.target = target, .attack = "all", .source = "of the attacks, for each operator the simplest that fits"};
  TRY(Score(victim, joined, all));
  outcomes.push_back(std::move(all));
  if (best != nullptr) *best = std::move(joined);
  return outcomes;
}

}  // namespace soter::audit
