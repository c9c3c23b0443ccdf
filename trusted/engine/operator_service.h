#pragma once

#include "common/wire/connection.h"
#include "common/wire/control.h"
#include "trusted/tee/platform.h"

namespace soter {

// ServeOperator answers one `soter` over `connection` until it closes: Settings first, then the model, then any
// number of plan and run requests (docs/spec/control.md). Every failure is sent as kFailed, and ends the service.
// platform: what this enclave runs on, detected when it started.
// Errors: what was sent as kFailed; kUnavailable when the peer went away in the middle of a message.
Status ServeOperator(wire::Connection& connection, Platform& platform);

}  // namespace soter
