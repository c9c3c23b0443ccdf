#pragma once

#include <vector>

#include "trusted/plan/plan.h"

namespace soter {

// CostProfile is what was measured of one network on one machine; all times in milliseconds. A node that a compiler
// fused into another has no time of its own.
struct CostProfile {
  std::vector<double> enclave_ms;      // per node, by whatever algorithm is fastest
  // Some of these want larger weights. Per node, by how much, and the time without; empty: there is room for all. The
  // enclave has room for `spare_bytes`; each of its programs in turn gives what is left to those that gain most.
  std::vector<double> frugal_ms;
  std::vector<uint64_t> extra_bytes;
  uint64_t spare_bytes = 0;
  std::vector<double> accelerator_ms;              // per node, in a segment that hands back its last results only
  std::vector<double> check_ms;                    // per node, of Freivalds on its result; empty: nothing is checked
  double switch_ms = 0;                            // one call of the accelerator that moves and computes nothing
  double send_ms_per_mb = 0, receive_ms_per_mb = 0;  // of what crosses, copies and masks included
  double hand_back_ms_per_mb = 0;                  // for the accelerator, of a result amid a segment
  double pass_ms_per_mb = 0;                       // of an elementwise operator in the enclave, per MB of its result
  double overlap = 0;  // of two sides that compute at once: 0 they take turns, 1 neither slows the other
};

// PredictMs is the expected latency of `plan`: stages one after the other; in a checked chain the enclave follows the
// accelerator, as far as `overlap` lets it (docs/spec/plan.md, 5).
double PredictMs(const StaticGraph& graph, const Plan& plan, const CostProfile& costs);

// WholeInEnclaveMs is the time of each node where everything runs in the enclave, as one program.
std::vector<double> WholeInEnclaveMs(const CostProfile& costs);

// SentMs and ReceivedMs are what it takes to move `value`, without the switch.
double SentMs(const StaticGraph& graph, ValueId value, const CostProfile& costs);
double ReceivedMs(const StaticGraph& graph, ValueId value, const CostProfile& costs);

}  // namespace soter
