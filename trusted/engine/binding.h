#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "common/compute/program.h"
#include "trusted/check/mixed_batch.h"
#include "trusted/engine/accelerator.h"
#include "trusted/engine/checked_take_in.h"
#include "trusted/engine/weight_store.h"
#include "trusted/mask/scales.h"
#include "trusted/plan/plan.h"

namespace soter {

// Edge is a value that crosses between stages, or in or out of the network: its place in private memory.
struct Edge {
  TensorType type;
  Layout layout = Layout::kDense;
  Buffer buffer;

  std::span<float> floats() { return {reinterpret_cast<float*>(buffer.bytes().data()), buffer.size() / sizeof(float)}; }
  PrivateTensor tensor() { return {type, layout, buffer.bytes()}; }
};

// EnclaveStage runs a part of the network here.
struct EnclaveStage {
  Program program;
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
};

// Crossing is one value that goes to or comes from the accelerator, and the scale that it has there.
struct Crossing {
  Edge* edge;
  float scale;
};

// Receipt is one value that the accelerator returns. Under Freivalds it is the result of one linear operator: the
// enclave first computes that operator's input itself, from what it has taken in before, and then checks the result.
// Where it can, it does so while it takes in the result before: `follow` of that receipt then has the work of `before`.
struct Receipt {
  Crossing crossing;
  std::unique_ptr<EnclaveStage> before;  // or null
  std::optional<Freivalds> check;
  Edge* input = nullptr;                 // of the operator, when there is a check
  FreivaldsScratch* scratch = nullptr;
  FollowUp follow;
  bool input_summed = false;             // the follow-up of the receipt before sums over the input
};

// AcceleratorStage runs a part of the network there.
struct AcceleratorStage {
  uint32_t segment = 0;
  std::vector<Crossing> sends;
  std::vector<Receipt> receipts;
  std::unique_ptr<EnclaveStage> after;  // what the enclave computes from the checked results, or null
  std::optional<MixedBatch> mixed;      // hides fingerprints among the rows of the only input
};

struct StageStep {
  std::unique_ptr<EnclaveStage> enclave;  // exactly one of the two
  std::unique_ptr<AcceleratorStage> accelerator;
};

// Binding is a plan made ready to run for one set of input shapes.
struct Binding {
  StaticGraph graph;
  ValidatedPlan plan;
  std::map<ValueId, std::unique_ptr<Edge>> edges;
  std::vector<StageStep> steps;
  std::array<FreivaldsScratch, 2> scratch;  // of checks in turns: one may begin while another is not decided
  size_t receipt_count = 0;  // per inference
  std::vector<double> node_ms;  // measured in the enclave, per node; empty when not profiled
  uint64_t bytes_sent = 0, bytes_received = 0;  // per inference, without probes
  size_t enclave_weight_bytes = 0;
};

// Refused is what the accelerator did not take: the values whose nodes must be computed elsewhere, and why, in its words.
struct Refused {
  std::set<ValueId> values;
  std::optional<Error> why;  // the first reason
};

// BindingContext is what a binding is built from; all of it belongs to the session.
struct BindingContext {
  const control::Settings& settings;
  WeightStore& weights;
  ScaleBook& scales;
  RandomSource& random;
  Accelerator* accelerator;                              // null when the scheme needs none
  std::map<std::pair<ValueId, float>, WeightId>& uploads;  // what the accelerator holds: parameter and factor
  Layout activation_layout;                              // of 16-channel-aligned rank 4 edges
};

// BuildBinding profiles, packs, masks, uploads and loads everything that `plan` needs: first what the accelerator gets,
// then what stays here. Each parameter's plain copy is released when it was packed, or when all segments are loaded.
// Where the accelerator has no room or no kernel for something, `refused` tells for what; the error is then the
// accelerator's own, no parameter was released, and another plan can be tried.
// Errors: those of Program::Compile, Accelerator, ProfileGraph, WeightStore.
Result<std::unique_ptr<Binding>> BuildBinding(const BindingContext& context, StaticGraph graph, ValidatedPlan plan,
                                              Refused& refused);

}  // namespace soter
