#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "audit/view/layer.h"
#include "audit/view/view.h"

namespace soter::audit {

// Knowledge is what an adversary has. Kerckhoffs: it also knows how every mask is generated, but no secret.
struct Knowledge {
  const StaticGraph& ancestor;   // a public network of the same architecture, bound to the shapes of one query
  std::span<const View> loads;   // what it saw, one view for each load of the victim; may be empty
  bool masked = true;            // which scheme runs is public: whether it masks anything
};

// LayerGuess is what an attack takes layer `layer` (of LinearLayers(ancestor)) to be.
struct LayerGuess {
  size_t layer;
  Matrix weight;
  std::vector<double> bias;  // empty: the ancestor's
  double unknowns = 0;       // continuous parameters that were fitted to the ancestor: so many directions prove nothing
  bool certain = false;      // not a guess: it is known that nothing was masked
};

// Guess is what an attack hands back. Layers that it says nothing of stay the ancestor's.
struct Guess {
  std::vector<LayerGuess> layers;
  std::map<std::string, double> findings;  // what it measured beside weights, by name
};

// Attack is one published attack. `source` names where it comes from.
struct Attack {
  std::string name, source, sees;
  std::function<Result<Guess>(const Knowledge&)> run;
  bool measures_only = false;  // it looks at what crosses and guesses no weights
};

}  // namespace soter::audit
