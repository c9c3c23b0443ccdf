#pragma once

#include <optional>

#include "audit/attacks/attack.h"

namespace soter::audit {

// SolveKeptLayers finds by least squares every linear operator that stays in the enclave while its input and its
// output, possibly behind ReLU, max pooling or a residual sum, can be seen: only rows in which a ReLU is active count,
// and of a pooling window the element that the current estimate takes for the greatest.
// Source: "layer-wise least squares" on what SOTER's enclave sends; needs k + 1 active rows for each output channel.
Result<Guess> SolveKeptLayers(const Knowledge& knowledge);

// SolveFromTraffic does it for one layer; nothing where its input or its output is not known.
class Traffic;
std::optional<LayerGuess> SolveFromTraffic(const StaticGraph& ancestor, std::span<const Layer> layers, size_t index,
                                           const Traffic& traffic);

// ActiveRegression solves relu(rows w + b) = target for one output channel; starts from `start` [k + 1], the weight
// with the bias at its end, and stays there in directions that no active row fixes. candidates[p] lists the rows of
// which target p shows the greatest (one row where nothing was pooled).
std::vector<double> ActiveRegression(const Matrix& rows, std::span<const std::vector<uint32_t>> candidates,
                                     std::span<const double> target, bool rectified, std::vector<double> start);

}  // namespace soter::audit
