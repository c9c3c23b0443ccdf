#pragma once

#include <map>
#include <optional>
#include <vector>

#include "audit/attacks/attack.h"

namespace soter::audit {

// Sighting is a linear operator of the victim that the accelerator holds.
struct Sighting {
  size_t segment;
  Layer seen;     // its weight as the accelerator has it
};

// Alignment says which operator and which value of the public architecture each thing seen is. The architecture is
// public, and so is the order of execution; where several operators have one shape, likeness to the ancestor decides.
struct Alignment {
  std::vector<Layer> layers;                       // of the ancestor
  std::vector<std::optional<Sighting>> sightings;  // one for each layer
  std::vector<std::map<ValueId, ValueId>> names;   // for each segment: its values -> the ancestor's
};

Alignment Align(const StaticGraph& ancestor, const View& view);

// Likeness of a seen weight to an ancestor's, 0 to 1: the cosine, or that of the spectra where mixing hid it.
double Likeness(const Matrix& seen, const Matrix& ancestor);

}  // namespace soter::audit
