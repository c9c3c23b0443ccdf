#pragma once

#include <optional>

#include "audit/attacks/alignment.h"

namespace soter::audit {

// WeightAttack takes what the accelerator holds of one operator and the ancestor's operator; returns what it takes the
// victim's weight to be, or nothing.
using WeightAttack = std::function<std::optional<Matrix>(const Matrix& seen, const Layer& ancestor)>;

// Unknowns counts the parameters that an attack fits to one ancestor's operator.
using Unknowns = std::function<size_t(const Layer& ancestor)>;

// OnEachOperator applies an attack on single weights to every operator that the accelerator holds.
Result<Guess> OnEachOperator(const Knowledge& knowledge, const Unknowns& unknowns, const WeightAttack& attack);

// Sizes of an operator, for Unknowns.
inline size_t RowsOf(const Layer& layer) { return layer.weight.rows(); }
inline size_t ColumnsOf(const Layer& layer) { return layer.weight.columns(); }
inline size_t ChannelsOf(const Layer& layer) { return layer.weight.columns() / layer.taps; }

// ByChannels arranges a weight [m, c taps] as [m taps, c]: what a mask of the input channels alone sees. And back.
Matrix ByChannels(const Matrix& weight, size_t taps);
Matrix ByRows(const Matrix& by_channels, size_t taps);

}  // namespace soter::audit
