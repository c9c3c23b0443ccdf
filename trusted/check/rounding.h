#pragma once

#include <array>
#include <cstdint>

#include "common/graph/bind.h"
#include "common/wire/control.h"

namespace soter {

// RoundingFamily is how a linear operator may have been computed, as far as its rounding errors go.
enum class RoundingFamily : uint8_t {
  kDirect,    // float32 products summed one after the other, as direct convolution and brgconv do
  kWinograd,  // float32, minimal filtering (Lavin and Gray 2015): 3x3, stride 1
  kGpuFp32,   // float32 on a GPU: whatever algorithm is fastest there, FFT left out
  kTf32,      // operands rounded or cut to 11 bits of mantissa, float32 sums
  kFloat16,   // operands and results rounded to float16, float32 sums
  kLast = kFloat16,
};

// RoundingModel bounds the honest residual of one probe:
//   |rho| <= (factor unit_roundoff sqrt(k + kExtraTerms) + operand_factor operand_roundoff) scale
// where k is the number of products in one sum and scale^2 = sum_j v_j x_j^2 + |y|^2 + |b|^2. The first term is that
// of the sums, the second that of operands which were rounded before they were multiplied: these errors are independent
// and each belongs to one product, so they do not grow with k (docs/spec/integrity.md section 1).
struct RoundingModel {
  const char* name;
  double unit_roundoff;     // of a sum's rounding
  double factor;
  double operand_roundoff;  // 0: operands are multiplied as they are
  double operand_factor;
  bool spreads;          // an output takes in rounding errors of the whole tile around it
  bool measured;
};

// A few roundings do not grow with k: of masks, of unmasking, of the operators before this one, of transforms.
inline constexpr double kExtraTerms = 64;

// Found by soter bench --integrity, largest residual times a margin of at least 1.5. The last three were measured in
// simulation only, never on a GPU; their sums have twice the CPU's factor. Constants of the specification: nothing
// changes them at run time.
inline constexpr std::array<RoundingModel, 5> kRoundingModels = {{
    {"float32 direct", 0x1p-24, 4.0, 0.0, 0.0, false, true},
    {"float32 Winograd", 0x1p-24, 8.0, 0.0, 0.0, true, true},
    {"GPU float32", 0x1p-24, 16.0, 0.0, 0.0, true, false},
    {"tf32", 0x1p-24, 16.0, 0x1p-11, 16.0, true, false},
    {"float16", 0x1p-24, 16.0, 0x1p-11, 8.0, true, false},
}};

inline constexpr int64_t kWinogradTile = 4;  // outputs in a tile, per axis, of the largest tile in use

constexpr const RoundingModel& ModelOf(RoundingFamily family) { return kRoundingModels[static_cast<size_t>(family)]; }

// FamilyOf is the least exact family by which an accelerator of that kind may compute `node` in `arithmetic`; it
// depends on what was asked for, and of whom, never on what the accelerator says.
RoundingFamily FamilyOf(const Node& node, wire::Arithmetic arithmetic, control::WorkerKind worker);

// FreivaldsMulAdds is what a check of `node` with `probes` probes is said to cost, in float32 multiply-adds: a high price
// on purpose, as if each position were a column of its own, and twice that for the memory that is read.
int64_t FreivaldsMulAdds(const StaticGraph& graph, const Node& node, int probes);

// IsCheapToCheck: a check costs at most a quarter of the operator itself. First layers, depthwise convolutions and
// small operators are not: they are computed in the enclave instead.
bool IsCheapToCheck(const StaticGraph& graph, const Node& node);

}  // namespace soter
