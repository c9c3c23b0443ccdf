#pragma once

#include <map>
#include <memory>

#include "common/graph/graph.h"

namespace soter {

// WeightStore holds the plaintext parameters of one model in the enclave, apart from its graph, so that each can be
// released as soon as nothing needs its plain form any more.
class WeightStore {
 public:
  WeightStore() = default;

  // FromGraph moves the data of every float initializer over kInlineBytes out of `graph`; small constants stay, since
  // shape arithmetic needs them.
  static WeightStore FromGraph(Graph& graph);

  // Get returns the data of `initializer`. Errors: kInvalidArgument (it was released).
  Result<std::shared_ptr<const Tensor>> Get(const Initializer& initializer) const;

  // Release forgets the data of `value`; whoever still holds a pointer keeps it alive.
  void Release(ValueId value) { tensors_.erase(value); }
  size_t bytes() const;

 private:
  std::map<ValueId, std::shared_ptr<const Tensor>> tensors_;
};

}  // namespace soter
