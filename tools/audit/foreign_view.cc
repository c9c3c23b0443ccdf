#include "tools/audit/foreign_view.h"

#include "audit/score/score.h"
#include "tools/audit/guess_files.h"
#include "tools/audit/victim.h"
#include "tools/cli/text.h"

namespace soter::audit {
namespace {

namespace fs = std::filesystem;

// ShapesFrom are those of the adversary's first query; without one, every symbol is 1.
std::vector<Shape> ShapesFrom(const View& view, const Graph& network) {
  std::vector<Shape> shapes;
  if (!view.queries.empty())
    for (const Tensor& input : view.queries.front().inputs) shapes.push_back(input.shape());
  return shapes.size() == network.inputs.size() ? shapes : DefaultShapes(network, 1);
}

// AsInputs are the adversary's own first inputs, or zeros: what activations are compared on.
Result<std::vector<Tensor>> AsInputs(const View& view, const std::vector<Shape>& shapes, const Graph& network) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < shapes.size(); ++i) {
    bool known = !view.queries.empty() && i < view.queries.front().inputs.size();
    inputs.push_back(known ? view.queries.front().inputs[i].Clone()
                           : TRY(Tensor::Allocate({network.inputs[i].dtype, shapes[i]})));
    if (!known) std::ranges::fill(inputs.back().mutable_bytes(), std::byte{0});
  }
  return inputs;
}

}  // namespace

Result<std::string> AttackForeignView(const AuditOptions& options) {
  std::vector<View> loads;
  for (const std::string& path : options.views) loads.push_back(TRY(ReadView(path)));
  ValidatedGraph network = TRY(LoadNetwork(options.ancestor));
  std::vector<Shape> shapes = ShapesFrom(loads.front(), network.graph());
  StaticGraph ancestor = TRY(Bind(network, shapes));
  std::vector<Layer> layers = LinearLayers(ancestor);
  std::vector<Attack> attacks = TRY(ChosenAttacks(options));
  fs::path guesses = fs::path(options.report) / "guesses";
  if (!options.attack_program.empty())
    attacks.push_back(ProgramAttack(options.attack_program, options.views.front(), options.ancestor, guesses / "program"));
  auto right = Table::Align::kRight;
  Table table({{"attack"}, {"operator"}, {"ADP", right}, {"error", right}, {"r2", right}});
  std::vector<Tensor> inputs = TRY(AsInputs(loads.front(), shapes, network.graph()));
  for (const Attack& attack : attacks) {
    Guess guess = TRY(attack.run({ancestor, loads}));
    if (attack.source != options.attack_program) TRY(WriteGuess(guesses / attack.name, layers, guess));
    std::vector<LayerScore> scores;
    if (!options.truth.empty())
      scores = TRY(ScoreGuess(ancestor, TRY(Bind(TRY(LoadNetwork(options.truth)), shapes)), guess, inputs));
    for (const LayerGuess& layer : guess.layers) {
      const LayerScore* score = scores.empty() ? nullptr : &scores[layer.layer];
      auto cell = [&](double value) { return score == nullptr ? "not known" : FormatFixed(value, 4); };
      table.AddRow({attack.name, layers[layer.layer].name, cell(score ? score->adp : 0),
                    cell(score ? score->relative_error : 0), cell(score ? score->r2 : 0)});
    }
    for (const auto& [name, value] : guess.findings) table.AddRow({attack.name, name, "", FormatFixed(value, 4), ""});
  }
  return table.Text();
}

}  // namespace soter::audit
