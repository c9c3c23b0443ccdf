#pragma once

#include <cstdint>
#include <span>
#include <vector>

// AegisDNN's choice (RTSS 2021): which layers run in the enclave, where nothing can tamper with them, and which on the
// accelerator, by dynamic programming over the layers in an order in which they can be run.
namespace soter {

// ProtectionProblem is a network as the choice sees it.
struct ProtectionProblem {
  struct Layer {
    double enclave_ms = 0, accelerator_ms = 0;
    double rate = 0;  // of faults in its results that change the network's answer (silent data corruption)
  };
  // Value is one tensor between layers. It crosses at most once in each direction it is needed in.
  struct Value {
    int64_t producer = -1;            // a layer; -1: an input, which is in the enclave
    std::vector<uint32_t> consumers;  // layers, ascending
    bool is_output = false;           // and so needed in the enclave in the end
    double send_ms = 0, receive_ms = 0;
  };
  std::vector<Layer> layers;
  std::vector<Value> values;
  double switch_ms = 0;               // of each time that the accelerator is called
};

// Protection is one choice and what it costs.
struct Protection {
  std::vector<bool> on_accelerator;  // per layer
  double ms = 0;                     // layers, crossings and switches, one after the other
  double rate = 0;                   // sum over layers on the accelerator of their rate, divided by all layers: the
                                     // chance that a fault in a layer drawn at random changes the answer
  bool exact = true;                 // false: too many choices were open at once, and the least promising were dropped
};

// CostOf is what `on_accelerator` costs, with layers run in their order.
Protection CostOf(const ProtectionProblem& problem, std::vector<bool> on_accelerator);

// SafestWithin has the least rate among choices that take at most `deadline_ms`; of these the fastest. Where none
// does, the fastest of all.  FastestBelow takes the least time among choices of at most `rate`; protecting every
// layer always qualifies.
// Exact while no more than kMaxOpenStates states of values that are still needed, with kMaxLabels undominated
// choices each, are open at once. Cost: layers * states * labels.
inline constexpr size_t kMaxOpenStates = 256, kMaxLabels = 128;
Protection SafestWithin(const ProtectionProblem& problem, double deadline_ms);
Protection FastestBelow(const ProtectionProblem& problem, double rate);

}  // namespace soter
