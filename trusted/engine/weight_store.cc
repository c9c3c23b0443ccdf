#include "trusted/engine/weight_store.h"

#include "common/graph/codec.h"

namespace soter {

WeightStore WeightStore::FromGraph(Graph& graph, WhenReleased when_released) {
  WeightStore store;
  store.when_released_ = when_released;
  for (Initializer& initializer : graph.initializers)
    if (initializer.data != nullptr && initializer.type.dtype == DType::kFloat32 &&
        initializer.data->bytes().size() > kInlineBytes)
      store.tensors_[initializer.value] = std::move(initializer.data);
  return store;
}

Result<std::shared_ptr<const Tensor>> WeightStore::Get(const Initializer& initializer) const {
  if (initializer.data != nullptr) return initializer.data;
  auto found = tensors_.find(initializer.value);
  if (found != tensors_.end()) return found->second;
  if (spill_ != nullptr && spill_->Holds(initializer.value)) return spill_->Get(initializer.value);
  return InvalidArgument("a parameter was released; load the model again");
}

Status WeightStore::Release(ValueId value) {
  auto found = tensors_.find(value);
  if (found == tensors_.end()) return {};
  if (when_released_ == WhenReleased::kKeepOutside) {
    if (spill_ == nullptr) spill_ = TRY(WeightSpill::Create());
    TRY(spill_->Put(value, found->second->view()));
  }
  tensors_.erase(found);
  return {};
}

Status WeightStore::ReleaseUnheld(std::vector<ValueId>& values) {
  std::vector<ValueId> held;
  for (ValueId value : values) {
    auto found = tensors_.find(value);
    if (found != tensors_.end() && found->second.use_count() > 1) held.push_back(value);
    else TRY(Release(value));
  }
  values = std::move(held);
  return {};
}

size_t WeightStore::bytes() const {
  size_t sum = 0;
  for (const auto& [value, tensor] : tensors_) sum += tensor->bytes().size();
  return sum;
}

}  // namespace soter
