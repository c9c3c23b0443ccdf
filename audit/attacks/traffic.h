#pragma once

#include "audit/attacks/alignment.h"
#include "audit/attacks/evaluator.h"
#include "audit/attacks/value_scales.h"

namespace soter::audit {

// Traffic is what the adversary knows of the activations of each query, by the ancestor's value: what crossed and what
// the accelerator computed, without its scale; its own inputs and the answers; and whatever follows from those without
// a secret weight.
class Traffic {
 public:
  // Errors: those of Program::Compile for a segment.
  static Result<Traffic> Make(const StaticGraph& ancestor, const View& view, const Alignment& alignment,
                              const ValueScales& scales);

  // FromSent is what follows from what the enclave sent alone, after `pads` (by segment and input; empty: none) are taken
  // off: for masks that hide what the accelerator computes.
  using Pads = std::map<std::pair<size_t, size_t>, std::vector<double>>;
  static Result<Traffic> FromSent(const StaticGraph& ancestor, const View& view, const Alignment& alignment,
                                  const Pads& pads);

  // FromValues is what follows from values that the adversary knows, one map for each query.
  // Errors: those of Program::Compile.
  static Result<Traffic> FromValues(const StaticGraph& ancestor, std::vector<Values> queries);

  size_t query_count() const { return queries_.size(); }
  // Null where the value is not known in that query.
  const Tensor* Find(size_t query, ValueId value) const;
  bool Knows(ValueId value) const { return query_count() > 0 && Find(0, value) != nullptr; }

 private:
  Status AddSegment(const View& view, size_t segment, const std::map<ValueId, ValueId>& names, const ValueScales& scales);
  void AddOwnQueries(const StaticGraph& ancestor, const View& view);
  Status AddConsequences(const StaticGraph& ancestor);

  std::vector<Values> queries_;
};

}  // namespace soter::audit
