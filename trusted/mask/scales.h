#pragma once

#include <map>
#include <vector>

#include "common/graph/bind.h"
#include "trusted/mask/random_source.h"

namespace soter {

// The paper's mask: on the accelerator a value x is held as s x with a hidden s > 0. Scales belong to values: an
// operator that joins values (Add, Concat) forces one scale on them, a linear operator has the factor s_out / s_in
// in its weight and s_out in its bias, and so identity shortcuts and branches come out right by themselves.
// Algebra: docs/spec/masking.md; source: SOTER (USENIX ATC 2022).

// A scale is log-uniform in [2^-3, 2^3]: the factor of an operator is then at most 2^6, whatever the length of the
// chain, so nothing overflows and fp32 loses no more than one rounding a value.
inline constexpr double kMaxScaleExponent = 3.0;

// ScaleBook draws each scale once in its lifetime and keeps it, so that a weight is masked once: different masks of
// the same weight would help an attacker ("Collapse", CCS 2026).
class ScaleBook {
 public:
  // unit: every scale is 1, which shows that the leak test can fail.
  ScaleBook(RandomSource& random, bool unit) : random_(random), unit_(unit) {}

  // ScaleOf is the scale of the class whose smallest value id is `representative`.
  float ScaleOf(ValueId representative);

 private:
  RandomSource& random_;
  bool unit_;
  std::map<ValueId, float> scales_;
};

// ScaleClasses groups the values that must share a scale, given which nodes run masked on the accelerator.
class ScaleClasses {
 public:
  // `masked` has one entry per node of the graph.
  ScaleClasses(const StaticGraph& graph, const std::vector<bool>& masked);

  // Representative is the smallest value id in the class of `value`.
  ValueId Representative(ValueId value) const;

 private:
  void Join(ValueId a, ValueId b);
  std::vector<ValueId> parent_;
};

// OperandRole says what masks an operand of a node on the accelerator: data comes with its own scale; a weight is
// multiplied by s_out / s_in, an offset (bias, added constant) by s_out; structure (shapes, indices) stays.
enum class OperandRole : uint8_t { kData, kWeight, kOffset, kStructure };
OperandRole RoleOf(const StaticGraph& graph, const Node& node, size_t operand);

// DataInput is the value whose scale is s_in: the first operand with role kData; kNoValue where all are constants.
ValueId DataInput(const StaticGraph& graph, const Node& node);

// HasUnitFactor: the weight of `node` would cross unmasked, because its input and output share one scale (a linear
// operator alone beside an identity shortcut: y = x + W x forces s_out = s_in).
bool HasUnitFactor(const StaticGraph& graph, const ScaleClasses& classes, const Node& node);

// CanMask: the accelerator can run `node` on scaled values with every float parameter masked.
bool CanMask(const StaticGraph& graph, const Node& node);

}  // namespace soter
