#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>

#include "trusted/check/verdict.h"
#include "trusted/engine/binding.h"
#include "trusted/engine/choice.h"

namespace soter {

// ValidateSettings refuses settings that contradict each other or ask for what this build does not have.
// Errors: kInvalidArgument, kUnsupported; the message names the option and what would be accepted.
Status ValidateSettings(const control::Settings& settings);

// NeedsAccelerator: the scheme offloads something.
bool NeedsAccelerator(Scheme scheme);

// Session runs one model under one scheme. The first Run for a set of input shapes plans, masks, packs and uploads;
// later ones only run, and allocate nothing but their report. Not thread-safe.
class Session {
 public:
  using Connect = std::function<Result<std::unique_ptr<Accelerator>>()>;

  // Create takes over the model. `connect` is called when the first run needs the accelerator.
  // Errors: those of ValidateSettings.
  // public_model: what ennclave's accelerator may have; null under every other scheme.
  static Result<std::unique_ptr<Session>> Create(ValidatedGraph model, control::Settings settings, Connect connect,
                                                 const ValidatedGraph* public_model = nullptr);

  // ShowProgress has `progress` told of long work from now on.
  void ShowProgress(ProgressFunction progress) { progress_ = std::move(progress); }

  control::ModelReport Describe() const;

  // Plan says what a run with these shapes would do. It needs the accelerator for a prediction only, and where plans
  // depend on measurements (NeedsChoice). Errors: those of Bind, Choose.
  Result<control::PlanReport> Plan(const control::PlanRequest& request);

  // Run computes the outputs. On any error nothing of a result is returned.
  // Errors: kInvalidArgument (inputs), kIntegrity (a check failed or the accelerator answered what no honest one
  // answers), kUnavailable (it is gone or late, or was given up after kMaxCheckFailures failed checks), kExhausted,
  // kUnsupported.
  Result<control::RunReport> Run(const control::RunRequest& request);

 private:
  Session(ValidatedGraph model, control::Settings settings, Connect connect, WeightStore weights, Selection public_values);

  Result<std::vector<Shape>> CheckInputs(const control::RunRequest& request) const;
  Status Connected();
  // PlanFor measures first where plans depend on it; samples as InjectFaults takes them.
  Result<ValidatedPlan> PlanFor(const StaticGraph& graph, std::span<const Tensor> samples);
  Status Measure(const StaticGraph& graph, std::span<const Tensor> samples);
  void SettleSelection(const StaticGraph& graph, const soter::Plan& plan);
  Status Prepare(const std::vector<Shape>& shapes);
  Result<std::unique_ptr<Binding>> BuildFitting(const BindingContext& context, const StaticGraph& graph, ValidatedPlan plan);
  Status CheckAccelerator() const;
  Result<Verified<Answer>> RunOnce(const control::RunRequest& request, control::Latency& latency);
  Status RunStages(Verdict& verdict, control::Latency& latency);
  Status SendInputs(AcceleratorStage& stage, const Verdict& verdict);
  Status AwaitAll(const AcceleratorStage& stage);
  Status RunOnAccelerator(AcceleratorStage& stage, Verdict& verdict, control::Latency& latency);
  Status TakeInResult(AcceleratorStage& stage, size_t index, std::chrono::steady_clock::time_point& answered,
                      Verdict& verdict, control::Latency& latency);
  void CountFailure();
  Status TakeInMixed(MixedBatch& mixed, const UntrustedTensor& answer, const Crossing& crossing, Verdict& verdict,
                     control::Latency& latency);
  Result<std::vector<control::NamedTensor>> Outputs(const Verified<Answer>& permission) const;
  void FillCounts(control::RunReport& report) const;
  Accelerator::Deadline NextDeadline() const;

  ValidatedGraph model_;
  control::Settings settings_;
  Connect connect_;
  WeightStore weights_;
  std::unique_ptr<RandomSource> random_;
  ScaleBook scales_;
  Selection selection_;
  std::unique_ptr<Accelerator> accelerator_;
  bool in_turns_ = false;  // SharesProcessors
  std::map<std::pair<ValueId, float>, WeightId> uploads_;
  // What the accelerator did not take stays in the enclave for the rest of the session, and why.
  std::set<ValueId> taken_back_;
  std::string taken_back_because_;
  ProgressFunction progress_;
  std::optional<Choice> choice_;    // for inputs of choice_shapes_
  std::vector<Shape> choice_shapes_;
  std::vector<Shape> bound_shapes_;
  std::unique_ptr<Binding> binding_;
  double load_ms_ = 0;
  uint64_t checks_made_ = 0, checks_failed_ = 0;
  int failed_queries_ = 0;  // at kMaxCheckFailures the worker is given up
};

}  // namespace soter
