#pragma once

#include <string>

#include "common/base/stream.h"
#include "common/graph/graph.h"
#include "common/wire/control.h"

// Which models an enclave runs, and under which settings (docs/spec/control.md).
namespace soter {

// RequirePlaintextAllowed refuses a model that is not sealed to a scheme that hides weights, outside the development
// TEE: whoever could send it could read it. Errors: kAuth.
Status RequirePlaintextAllowed(control::Scheme scheme, const std::string& tee);

// RequireKeyFromOperatorAllowed refuses a key from the control channel outside the development TEE. Errors: kAuth.
Status RequireKeyFromOperatorAllowed(const std::string& tee);

// OpenModelFor opens a sealed model and returns its graph, if its own policy allows it to be run under `settings`.
// Errors: kAuth (a key or signature; settings weaker than the policy demands), those of OpenSealedModel.
Result<ValidatedGraph> OpenModelFor(const control::Settings& settings, const control::SealedModel& sealed,
                                    ByteSource ciphertext);

}  // namespace soter
