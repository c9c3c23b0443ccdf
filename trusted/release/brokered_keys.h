#pragma once

#include "trusted/engine/key_source.h"

namespace soter {

// BrokeredKeys takes keys from a lease, while it lasts, and else from a broker. A lease is stored before the key that
// it held is used, so that a start counts even when it is cut off.
class BrokeredKeys final : public KeySource {
 public:
  Result<ReleasedKey> Release(const control::BrokeredModel& model, Platform& platform,
                              const StoreLease& store_lease) override;
};

}  // namespace soter
