#pragma once

#include "trusted/check/freivalds.h"

namespace soter {

// BandActivation is what the enclave can apply to a result band by band: what stands between two convolutions most often.
enum class BandActivation : uint8_t {
  kNone,
  kRelu,
  kReluPool,  // Relu, then the largest of each 2x2 positions
};

// ActivationOf recognises what `nodes` of `graph`, in their order, do to a result that `check` covers and that lies in
// `layout`; kNone where it is something else, or where bands would cut pooled pairs in two.
BandActivation ActivationOf(const StaticGraph& graph, std::span<const uint32_t> nodes, const Freivalds& check, Layout layout);

// Activate applies it to one band of y and writes to `to`, a tensor of the result's layout; may be in place for kRelu.
void Activate(BandActivation activation, const Freivalds& check, int64_t band, const float* y, float* to);

}  // namespace soter
