#pragma once

#include <optional>

#include "common/wire/connection.h"
#include "common/wire/control.h"
#include "trusted/attest/workload_claims.h"
#include "trusted/engine/key_source.h"
#include "trusted/tee/platform.h"

namespace soter {

// EnclaveSelf is what an enclave knows of itself when it starts.
struct EnclaveSelf {
  Platform& platform;
  std::optional<KeyHash> link_key;  // of the RA-TLS key that the operator's link ends with; nothing on a plain link
  KeySource* keys = nullptr;  // where it gets keys that the operator may not know; nullptr: nowhere
};

// ServeOperator answers one `soter` over `connection` until it closes: Settings first, then the model, then any
// number of plan and run requests (docs/spec/control.md). It gives evidence of itself before the settings, and of
// itself with the model afterwards. Every failure is sent as kFailed, and ends the service.
// Errors: what was sent as kFailed; kUnavailable when the peer went away in the middle of a message.
Status ServeOperator(wire::Connection& connection, EnclaveSelf self);

}  // namespace soter
