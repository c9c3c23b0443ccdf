#pragma once

#include <string>

#include "tools/audit/audit_options.h"
#include "tools/audit/victim.h"
#include "tools/cli/session.h"

namespace soter::audit {

// What theta means under a scheme: the share of the linear operators that are offloaded (soter), whose layers are public
// (ennclave), or the share of the layers that stay unprotected (aegisdnn). Others have none.
bool HasTheta(control::Scheme scheme);

// PrivateLayers is how many of `operators` stay private under ennclave at that theta: one at least.
uint32_t PrivateLayers(double theta, size_t operators);

// SettingsFor are the settings of the enclave and worker that a victim runs with. Where operators are drawn at random,
// the first draw counts that leaves enough work on the accelerator to say anything. Under aegisdnn the enclave injects
// faults first, with inputs that the victim was trained on; those layers are protected in which faults matter most.
// Errors: those of EnclaveSession.
Result<control::Settings> SettingsFor(const AuditOptions& options, const Victim& victim, const std::string& scheme,
                                      double theta, size_t operators);

}  // namespace soter::audit
