#pragma once

#include "audit/view/view.h"
#include "tools/audit/victim.h"
#include "tools/cli/session.h"

namespace soter::audit {

// Recording is what the adversary has after one load of a victim and its own queries, and what share of the work the
// accelerator did.
struct Recording {
  View view;
  double share = 0;  // of the victim's multiply-adds on the accelerator
  uint32_t operators = 0, linear_offloaded = 0, linear_total = 0;
  std::string notice;
  std::vector<uint32_t> placement;  // the linear operators that were offloaded, as Settings::placement names them
};

// OffloadedShare is the share of the victim's multiply-adds that these settings put on the accelerator, without running
// anything. Errors: those of EnclaveSession.
Result<double> OffloadedShare(const Victim& victim, const control::Settings& settings, const Shape& query);

// Record runs `queries` queries, one after the other, on the real enclave and worker processes with a recording
// worker; the record stays in `directory`. A scheme without a worker gives a view of queries alone.
// Errors: those of EnclaveSession and ReadView.
Result<Recording> Record(const Victim& victim, const control::Settings& settings, const Tensor& queries,
                         const std::filesystem::path& directory, Progress* progress);

}  // namespace soter::audit
