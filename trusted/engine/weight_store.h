#pragma once

#include <map>
#include <memory>
#include <vector>

#include "trusted/engine/weight_spill.h"

namespace soter {

// WhenReleased says whether a released parameter may be needed again, as for inputs of another shape.
enum class WhenReleased : uint8_t { kForget, kKeepOutside };

// WeightStore holds the plaintext parameters of one model in the enclave, apart from its graph, so that each can be
// released as soon as nothing needs its plain form any more.
class WeightStore {
 public:
  WeightStore() = default;

  // FromGraph moves the data of every float initializer over kInlineBytes out of `graph`; small constants stay, since
  // shape arithmetic needs them.
  static WeightStore FromGraph(Graph& graph, WhenReleased when_released);

  // Get returns the data of `initializer`, read back when it is kept outside.
  // Errors: kInvalidArgument (it was forgotten), those of WeightSpill::Get.
  Result<std::shared_ptr<const Tensor>> Get(const Initializer& initializer) const;

  // Release gives up the plain data of `value`; whoever still holds a pointer keeps it alive.
  // Errors: those of WeightSpill::Create and Put.
  Status Release(ValueId value);

  // ReleaseUnheld releases those of `values` that nobody outside this store holds, and takes them off the list. What
  // a program computes with as it lies stays: its plain form is in memory anyhow.
  // Errors: as Release.
  Status ReleaseUnheld(std::vector<ValueId>& values);
  size_t bytes() const;  // held here

 private:
  WhenReleased when_released_ = WhenReleased::kForget;
  std::map<ValueId, std::shared_ptr<const Tensor>> tensors_;
  std::unique_ptr<WeightSpill> spill_;  // made when the first parameter is released
};

}  // namespace soter
