#include "trusted/engine/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "common/graph/memory_need.h"
#include "common/graph/op_traits.h"
#include "common/wire/control_codec.h"
#include "trusted/check/waiver.h"
#include "trusted/engine/activation_layout.h"
#include "trusted/engine/development_only.h"
#include "trusted/engine/plan_report.h"
#include "trusted/engine/profile.h"
#include "trusted/engine/shared_processors.h"
#include "trusted/mask/transfer.h"
#include "trusted/plan/placement_search.h"
#include "trusted/plan/public_part.h"
#include "trusted/plan/take_back.h"

namespace soter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPlanSamples = 2;  // the first run of an operator pays for cold caches

double Milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }
double MillisecondsSince(Clock::time_point start) { return Milliseconds(Clock::now() - start); }

// What a worker calls itself that computes on an NVIDIA GPU.
constexpr const char* kGpuBackend = "cuda";

// A shorter wait for a result does not show that the accelerator was still computing it.
constexpr double kRealWaitMs = 0.02;

// How often the enclave wakes at most while it waits for all results of an accelerator on its own processors.
constexpr size_t kWakes = 8;

// What no honest worker answers is a wrong result, whatever layer noticed it.
template <typename T>
Result<T> FromAccelerator(Result<T> result) {
  if (!result.ok() && result.error().code == ErrorCode::kMalformed) return IntegrityError(result.error().message);
  return result;
}

std::string Accepts(const Graph& graph, const GraphInput& input) {
  std::string text = std::string(DTypeName(input.dtype)) + "[";
  for (size_t i = 0; i < input.shape.size(); ++i) {
    const Dim& dim = input.shape[i];
    text += (i ? ", " : "") + (dim.is_symbol() ? graph.symbols[dim.symbol()] : std::to_string(dim.extent()));
  }
  return text + "]";
}

// Samples are inputs of the shapes that the plan is for.
Status CheckSamples(const Graph& graph, const control::PlanRequest& request) {
  if (request.samples.empty()) return {};
  bool fit = request.samples.size() == graph.inputs.size();
  for (size_t i = 0; fit && i < request.samples.size(); ++i)
    fit = request.samples[i].dtype() == graph.inputs[i].dtype && request.samples[i].shape() == request.input_shapes[i];
  return fit ? Status() : InvalidArgument("--samples: one for each input, of its type and shape, is needed");
}

bool AllFinite(std::span<const float> values) {
  bool finite = true;
  for (float value : values) finite &= std::isfinite(value);
  return finite;
}

bool IsExact(wire::Arithmetic precision) {
  return precision == wire::Arithmetic::kFloat32 || precision == wire::Arithmetic::kFloat64;
}

// ValidatePrecision: where a scheme has a bound for the errors of an arithmetic, or checks nothing.
Status ValidatePrecision(const control::Settings& settings) {
  if (settings.precision == wire::Arithmetic::kFloat32) return {};
  std::string asked = std::string("--precision ") + wire::ArithmeticName(settings.precision);
  if (!NeedsAccelerator(settings.scheme))
    return InvalidArgument(asked + ": scheme " + SchemeName(settings.scheme) + " computes in the enclave, in fp32");
  if (settings.check == Check::kFingerprint && !IsExact(settings.precision))
    return InvalidArgument(asked + ": fingerprints are compared as fp32 or fp64; use --check freivalds or none");
  return {};
}

std::unique_ptr<RandomSource> MakeRandom(const control::Settings& settings) {
  return settings.seed.has_value() ? MakeSeededRandom(*settings.seed) : MakeSystemRandom();
}

}  // namespace

Status ValidateAegisdnn(const control::Settings& settings) {
  if (!(settings.deadline_ms >= 0)) return InvalidArgument("--deadline-ms must be 0 (none) or more");
  if (!(settings.sdc_rate >= 0 && settings.sdc_rate <= 1)) return InvalidArgument("--sdc-rate must lie between 0 and 1");
  if (settings.fault_rounds < 1) return InvalidArgument("--fault-rounds must be at least 1");
  return {};
}

bool NeedsAccelerator(Scheme scheme) { return scheme != Scheme::kMlcapsule; }

Status ValidateSettings(const control::Settings& settings) {
  if (!(settings.theta >= 0.0 && settings.theta <= 1.0)) return InvalidArgument("--theta must lie between 0 and 1");
  if (!(settings.fingerprint_rate >= 0.0 && settings.fingerprint_rate <= 1.0))
    return InvalidArgument("--fingerprint-rate must lie between 0 and 1");
  if (settings.cornerstones < 1 || settings.cornerstones > control::kMaxCornerstones)
    return InvalidArgument("--cornerstones must lie between 1 and " + std::to_string(control::kMaxCornerstones));
  if (settings.threads < 1 || settings.threads > control::kMaxThreads)
    return InvalidArgument("--threads must lie between 1 and " + std::to_string(control::kMaxThreads));
  bool checks_nothing = settings.scheme != Scheme::kVerified && settings.scheme != Scheme::kSoter;
  if (checks_nothing && settings.check != Check::kNone)
    return InvalidArgument(std::string("scheme ") + SchemeName(settings.scheme) + " has no check; use --check none");
  TRY(RefuseDevelopmentOnly(settings));
  if (settings.scheme == Scheme::kVerified && settings.check != Check::kFreivalds)
    return InvalidArgument("scheme verified checks every result; use --check freivalds");
  TRY(ValidatePrecision(settings));
  bool placeable = settings.scheme == Scheme::kAegisdnn || settings.scheme == Scheme::kSoter;
  if (settings.placement.has_value() && !placeable)
    return InvalidArgument(std::string("--placement is for soter and aegisdnn; scheme ") + SchemeName(settings.scheme) +
                           " places operators by its own rule");
  return ValidateAegisdnn(settings);
}

Session::Session(ValidatedGraph model, control::Settings settings, Connect connect, WeightStore weights,
                 Selection public_values)
    : model_(std::move(model)), settings_(std::move(settings)), connect_(std::move(connect)), weights_(std::move(weights)),
      random_(MakeRandom(settings_)), scales_(*random_, settings_.force_unit_scales) {
  if (settings_.placement.has_value()) selection_.insert(settings_.placement->begin(), settings_.placement->end());
  else if (settings_.scheme == Scheme::kSoter) selection_ = SelectAtRandom(model_.graph(), settings_.theta, *random_);
  else selection_ = std::move(public_values);
}

Result<std::unique_ptr<Session>> Session::Create(ValidatedGraph model, control::Settings settings, Connect connect,
                                                 const ValidatedGraph* public_model) {
  TRY(ValidateSettings(settings));
  Graph graph = std::move(model).Take();
  Selection public_values;
  if (settings.scheme == Scheme::kEnnclave) {
    if (public_model == nullptr) return InvalidArgument("scheme ennclave needs a public model: give --public PUBLIC.onnx");
    PublicPart part = TRY(TakePublicPart(std::move(graph), public_model->graph(), settings.private_layers));
    graph = std::move(part.graph), public_values = std::move(part.values);
  }
  // Only a model that takes one set of shapes is bound once.
  WhenReleased when_released = graph.symbols.empty() ? WhenReleased::kForget : WhenReleased::kKeepOutside;
  WeightStore weights = WeightStore::FromGraph(graph, when_released);
  ValidatedGraph structure = TRY(ValidatedGraph::Validate(std::move(graph)));
  return std::unique_ptr<Session>(
      new Session(std::move(structure), std::move(settings), std::move(connect), std::move(weights), std::move(public_values)));
}

control::ModelReport Session::Describe() const {
  const Graph& graph = model_.graph();
  control::ModelReport report;
  for (const GraphInput& input : graph.inputs) {
    control::PortInfo port{graph.value_names[input.value], input.dtype, {}, {}};
    for (const Dim& dim : input.shape) {
      port.shape.push_back(dim.is_symbol() ? -1 : dim.extent());
      port.symbols.push_back(dim.is_symbol() ? graph.symbols[dim.symbol()] : "");
    }
    report.inputs.push_back(std::move(port));
  }
  for (ValueId value : graph.outputs) report.outputs.push_back(graph.value_names[value]);
  report.notice = Notice(settings_.scheme, settings_.check);
  return report;
}

Status Session::Connected() {
  if (!NeedsAccelerator(settings_.scheme) || accelerator_ != nullptr) return {};
  accelerator_ = TRY(connect_());
  Status fits = CheckAccelerator();
  if (!fits.ok()) accelerator_.reset();
  else in_turns_ = SharesProcessors(accelerator_->info(), settings_, ProcessorCount());
  return fits;
}

Status Session::Measure(const StaticGraph& graph, std::span<const Tensor> samples) {
  std::vector<Shape> shapes;
  for (const GraphInput& input : graph.graph().inputs) shapes.push_back(graph.type(input.value).shape);
  if (choice_.has_value() && choice_shapes_ == shapes) return {};
  TRY(Connected());
  binding_.reset();  // measuring drops what the accelerator holds
  uploads_.clear();
  Layout layout = TRY(ActivationLayout(static_cast<int>(settings_.threads)));
  choice_ = TRY(FromAccelerator(Choose(graph, samples, {settings_, weights_, *random_, accelerator_.get(), layout, progress_})));
  choice_shapes_ = std::move(shapes);
  return {};
}

Result<ValidatedPlan> Session::PlanFor(const StaticGraph& graph, std::span<const Tensor> samples) {
  if (NeedsChoice(settings_)) TRY(Measure(graph, samples));
  if (settings_.objective == control::Objective::kLatency && settings_.scheme != Scheme::kAegisdnn)
    return FastestPlan(graph, settings_.scheme, settings_.check, selection_, choice_->costs);
  bool chosen = choice_.has_value() && choice_->offloaded.has_value();
  return PlanGraph(graph, settings_.scheme, settings_.check, chosen ? *choice_->offloaded : selection_);
}

Result<control::PlanReport> Session::Plan(const control::PlanRequest& request) {
  StaticGraph graph = TRY(Bind(model_, request.input_shapes));
  TRY(CheckSamples(model_.graph(), request));
  ValidatedPlan plan = TRY(PlanFor(graph, request.samples));
  if (request.predict) TRY(Measure(graph, request.samples));
  if (request.predict || NeedsChoice(settings_)) return ReportPlan(graph, plan.plan(), {}, &*choice_);
  std::vector<double> node_ms;
  if (request.profile)
    TRY(ProfileGraph(graph, weights_, static_cast<int>(settings_.threads), kPlanSamples, *random_,
                     [&](const NodeProfile& profile) -> Status {
                       node_ms.push_back(profile.milliseconds);
                       return {};
                     }));
  return ReportPlan(graph, plan.plan(), node_ms, nullptr);
}

Result<std::vector<Shape>> Session::CheckInputs(const control::RunRequest& request) const {
  const Graph& graph = model_.graph();
  if (request.inputs.size() != graph.inputs.size())
    return InvalidArgument("the model wants " + std::to_string(graph.inputs.size()) + " inputs, not " +
                           std::to_string(request.inputs.size()));
  std::vector<Shape> shapes;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const Tensor& tensor = request.inputs[i];
    std::string name = "input '" + graph.value_names[graph.inputs[i].value] + "'";
    if (tensor.dtype() != graph.inputs[i].dtype)
      return InvalidArgument(name + " is " + TypeString(tensor.type()) + ", but the model wants " +
                             Accepts(graph, graph.inputs[i]));
    if (tensor.dtype() == DType::kFloat32 && !AllFinite(tensor.As<float>()))
      return InvalidArgument(name + " holds a NaN or an infinity; every value must be finite");
    shapes.push_back(tensor.shape());
  }
  return shapes;
}

// Under `soter` the first shapes settle what crosses: with another choice a weight would cross under a second mask.
void Session::SettleSelection(const StaticGraph& graph, const soter::Plan& plan) {
  if (settings_.scheme != Scheme::kSoter || settings_.objective != control::Objective::kLatency) return;
  settings_.objective = control::Objective::kPolicy;
  selection_.clear();
  const std::vector<Node>& nodes = graph.graph().nodes;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (plan.placement[i].accelerator && IsLinear(nodes[i].op)) selection_.insert(nodes[i].outputs[0]);
}

Status Session::Prepare(const std::vector<Shape>& shapes) {
  if (binding_ != nullptr && shapes == bound_shapes_) return {};
  Clock::time_point start = Clock::now();
  binding_.reset();
  StaticGraph graph = TRY(Bind(model_, shapes));
  TRY(RequireMemory(graph, MachineMemoryBytes()));
  ValidatedPlan plan = TRY(PlanFor(graph, {}));
  SettleSelection(graph, plan.plan());
  if (!taken_back_.empty()) plan = TRY(TakeBack(graph, plan.plan(), taken_back_));
  TRY(Connected());
  Layout layout = TRY(ActivationLayout(static_cast<int>(settings_.threads)));
  BindingContext context{settings_, weights_, scales_, *random_, accelerator_.get(), uploads_, layout};
  binding_ = TRY(FromAccelerator(BuildFitting(context, graph, std::move(plan))));
  bound_shapes_ = shapes;
  load_ms_ = MillisecondsSince(start);
  return {};
}

// What the accelerator says of itself can only make the enclave refuse it, never believe more of it.
Status Session::CheckAccelerator() const {
  const AcceleratorInfo& info = accelerator_->info();
  if (std::ranges::count(info.arithmetics, settings_.precision) == 0) {
    std::string offered;
    for (wire::Arithmetic arithmetic : info.arithmetics)
      offered += std::string(offered.empty() ? "" : ", ") + wire::ArithmeticName(arithmetic);
    return Unsupported(std::string("--precision ") + wire::ArithmeticName(settings_.precision) + ": the worker (" +
                       info.backend + ") computes in " + (offered.empty() ? "nothing" : offered));
  }
  bool is_checked = settings_.check == Check::kFreivalds;
  if (is_checked && info.backend == kGpuBackend && settings_.worker_kind != control::WorkerKind::kGpu)
    return InvalidArgument("the worker computes on a GPU, whose results have wider bounds; say --worker-kind gpu");
  return {};
}

// Takes back into the enclave what the accelerator does not take, until it takes all that is left.
Result<std::unique_ptr<Binding>> Session::BuildFitting(const BindingContext& context, const StaticGraph& graph,
                                                       ValidatedPlan plan) {
  for (;;) {
    Refused refused;
    Result<std::unique_ptr<Binding>> built = BuildBinding(context, graph, plan, refused);
    if (built.ok() || refused.values.empty()) return built;
    Error why = *refused.why;
    if (settings_.on_exhausted == control::OnExhausted::kRefuse) {
      why.message += "; --on-exhausted enclave computes in the enclave what the accelerator does not take";
      return why.code == ErrorCode::kExhausted ? Unavailable(why.message) : why;
    }
    taken_back_.insert(refused.values.begin(), refused.values.end());
    taken_back_because_ = why.message;
    plan = TRY(TakeBack(graph, plan.plan(), refused.values));
  }
}

Accelerator::Deadline Session::NextDeadline() const { return Clock::now() + std::chrono::milliseconds(settings_.timeout_ms); }

// Once a check of this query has failed, nothing that follows from its results leaves any more: the accelerator gets
// zeros, so that the query takes its usual course and time.
Status Session::SendInputs(AcceleratorStage& stage, const Verdict& verdict) {
  for (size_t i = 0; i < stage.sends.size(); ++i) {
    const Crossing& send = stage.sends[i];
    std::span<std::byte> target = accelerator_->InputBuffer(stage.segment, i);
    if (verdict.failed()) std::memset(target.data(), 0, target.size());
    else if (stage.mixed.has_value()) stage.mixed->Send(send.edge->floats(), send.scale, *random_, target);
    else if (send.edge->type.dtype == DType::kFloat32) SendScaled(send.edge->floats(), send.scale, target);
    else std::memcpy(target.data(), send.edge->buffer.bytes().data(), target.size());
  }
  return accelerator_->Start(stage.segment, NextDeadline());
}

// Takes in result `index` of a running stage and decides about it. answered: when the result before it was there;
// what the enclave did since then counts as overlapped if the accelerator still was not done after it. Work after
// which the result was waiting already may have been overlapped too, but is not counted.
Status Session::TakeInResult(AcceleratorStage& stage, size_t index, Clock::time_point& answered, Verdict& verdict,
                             control::Latency& latency) {
  Receipt& receipt = stage.receipts[index];
  Clock::time_point start = Clock::now();
  if (receipt.before != nullptr) TRY(receipt.before->program.Run(receipt.before->inputs, receipt.before->outputs));
  Clock::time_point wait = Clock::now();
  latency.trusted += Milliseconds(wait - start);
  UntrustedTensor answer = TRY(accelerator_->Await(stage.segment, index, NextDeadline()));
  Clock::time_point copy = Clock::now();
  latency.accelerator += Milliseconds(copy - wait);
  if (Milliseconds(copy - wait) > kRealWaitMs) latency.overlapped += Milliseconds(wait - answered);
  answered = copy;
  const float inverse_scale = 1.0f / receipt.crossing.scale;
  if (stage.mixed.has_value()) return TakeInMixed(*stage.mixed, answer, receipt.crossing, verdict, latency);
  if (!receipt.check.has_value()) {
    verdict.Add(Waive(Waiver(settings_.check), TRY(TakeIn(answer, inverse_scale, receipt.crossing.edge->tensor()))));
    latency.switching += MillisecondsSince(copy);
    return {};
  }
  CheckedTakeInTimes times;
  Claim claim = TRY(CheckedTakeIn(answer, inverse_scale, receipt.crossing.edge->tensor(), *receipt.check, *receipt.scratch,
                                  receipt.follow, times));
  latency.switching += times.copying, latency.check += times.checking, latency.trusted += times.activating;
  Clock::time_point check = Clock::now();
  if (!receipt.input_summed) DotAllInputs(receipt.input->floats().data(), *receipt.check, *receipt.scratch);
  ++checks_made_;
  verdict.Add(receipt.check->Decide(std::move(claim), *receipt.scratch));
  latency.check += MillisecondsSince(check);
  return {};
}

Status Session::TakeInMixed(MixedBatch& mixed, const UntrustedTensor& answer, const Crossing& crossing, Verdict& verdict,
                            control::Latency& latency) {
  Clock::time_point start = Clock::now();
  std::vector<Result<Verified<PrivateTensor>>> outcomes;
  Claim claim = TRY(mixed.TakeIn(answer, 1.0f / crossing.scale, crossing.edge->tensor(), outcomes));
  verdict.Add(Waive(Waiver(settings_.check), std::move(claim)));
  for (const auto& outcome : outcomes) verdict.Add(outcome);
  checks_made_ += outcomes.size();
  latency.check += MillisecondsSince(start);
  return {};
}

// Every wait is as long as one answer may take, so that a worker that hangs is noticed.
Status Session::AwaitAll(const AcceleratorStage& stage) {
  const size_t count = stage.receipts.size(), step = (count + kWakes - 1) / kWakes;
  for (size_t next = std::min(step, count); next > 0; next = next < count ? std::min(next + step, count) : 0)
    TRY(accelerator_->Await(stage.segment, next - 1, NextDeadline()));
  return {};
}

Status Session::RunOnAccelerator(AcceleratorStage& stage, Verdict& verdict, control::Latency& latency) {
  Clock::time_point start = Clock::now();
  TRY(SendInputs(stage, verdict));
  (stage.mixed.has_value() ? latency.check : latency.switching) += MillisecondsSince(start);
  Clock::time_point answered = Clock::now();
  if (in_turns_) TRY(AwaitAll(stage));
  latency.accelerator += MillisecondsSince(answered);
  for (size_t i = 0; i < stage.receipts.size(); ++i) TRY(TakeInResult(stage, i, answered, verdict, latency));
  latency.reported += static_cast<double>(TRY(accelerator_->Finish(stage.segment, NextDeadline()))) * 1e-6;
  if (stage.after == nullptr) return {};
  Clock::time_point after = Clock::now();
  TRY(stage.after->program.Run(stage.after->inputs, stage.after->outputs));
  latency.trusted += MillisecondsSince(after);
  return {};
}

Status Session::RunStages(Verdict& verdict, control::Latency& latency) {
  for (StageStep& step : binding_->steps) {
    if (step.accelerator != nullptr) {
      TRY(RunOnAccelerator(*step.accelerator, verdict, latency));
      continue;
    }
    Clock::time_point start = Clock::now();
    TRY(step.enclave->program.Run(step.enclave->inputs, step.enclave->outputs));
    latency.trusted += MillisecondsSince(start);
  }
  return {};
}

Result<Verified<Answer>> Session::RunOnce(const control::RunRequest& request, control::Latency& latency) {
  Clock::time_point start = Clock::now();
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    auto edge = binding_->edges.find(model_.graph().inputs[i].value);
    std::span<const std::byte> source = request.inputs[i].bytes();
    if (!source.empty()) std::memcpy(edge->second->buffer.bytes().data(), source.data(), source.size());
  }
  latency.trusted += MillisecondsSince(start);
  Verdict verdict(binding_->receipt_count);
  Status status = FromAccelerator(RunStages(verdict, latency));
  if (!status.ok()) binding_.reset();  // what it holds may be half an answer
  if (verdict.failed()) CountFailure();
  else TRY(std::move(status));
  latency.total = MillisecondsSince(start);
  return verdict.Conclude();
}

// A failure is final for its query: there is no second try that an attacker could learn from. The next query meets
// probes that no result was ever held against.
void Session::CountFailure() {
  ++checks_failed_;
  if (++failed_queries_ >= kMaxCheckFailures) {
    binding_.reset();
    accelerator_.reset();
    return;
  }
  if (binding_ == nullptr) return;
  for (StageStep& step : binding_->steps)
    if (step.accelerator != nullptr)
      for (Receipt& receipt : step.accelerator->receipts)
        if (receipt.check.has_value()) receipt.check->Redraw();
}

Result<std::vector<control::NamedTensor>> Session::Outputs(const Verified<Answer>&) const {
  std::vector<control::NamedTensor> outputs;
  for (ValueId value : binding_->graph.graph().outputs) {
    Tensor tensor = TRY(Tensor::Allocate(binding_->graph.type(value)));
    std::span<const std::byte> source;
    std::shared_ptr<const Tensor> constant;
    if (const Initializer* initializer = binding_->graph.initializer(value)) {
      constant = TRY(weights_.Get(*initializer));
      source = constant->bytes();
    } else {
      source = binding_->edges.at(value)->buffer.bytes();
    }
    if (!source.empty()) std::memcpy(tensor.mutable_bytes().data(), source.data(), source.size());
    outputs.push_back({model_.graph().value_names[value], std::move(tensor)});
  }
  return outputs;
}

void Session::FillCounts(control::RunReport& report) const {
  for (const NodePlacement& placed : binding_->plan.plan().placement) {
    ++(placed.accelerator ? report.accelerator_operators : report.trusted_operators);
    report.masked_operators += placed.masked;
  }
  for (const Node& node : binding_->graph.graph().nodes)
    if (taken_back_.contains(node.outputs[0])) report.taken_back.push_back(node.name);
  if (!report.taken_back.empty()) report.taken_back_because = taken_back_because_;
  for (const StageStep& step : binding_->steps) report.switches += step.accelerator != nullptr;
  report.checks_made = checks_made_;
  report.checks_failed = checks_failed_;
  // Under Freivalds there is no report of an answer that failed a check.
  if (settings_.check == Check::kFreivalds && checks_made_ > 0) report.verified = 1;
  if (settings_.check == Check::kFingerprint && checks_made_ > 0) report.verified = checks_failed_ == 0 ? 1 : 0;
  report.load_ms = load_ms_;
  report.notice = Notice(settings_.scheme, settings_.check);
  if (accelerator_ != nullptr) {
    report.backend = accelerator_->info().backend;
    report.device = accelerator_->info().device;
  }
}

Result<control::RunReport> Session::Run(const control::RunRequest& request) {
  std::vector<Shape> shapes = TRY(CheckInputs(request));
  if (failed_queries_ >= kMaxCheckFailures)
    return Unavailable("the worker was given up after " + std::to_string(kMaxCheckFailures) +
                       " failed checks; start again with another worker");
  TRY(Prepare(shapes));
  control::RunReport report;
  uint64_t sent = accelerator_ ? accelerator_->bytes_sent() : 0, received = accelerator_ ? accelerator_->bytes_received() : 0;
  uint32_t repeat = std::max<uint32_t>(request.repeat, 1);
  std::optional<Verified<Answer>> permission;
  for (uint32_t i = 0; i < repeat; ++i) {
    report.repeats.emplace_back();
    permission.emplace(TRY(RunOnce(request, report.repeats.back())));
  }
  if (accelerator_ != nullptr) {
    report.bytes_sent = (accelerator_->bytes_sent() - sent) / repeat;
    report.bytes_received = (accelerator_->bytes_received() - received) / repeat;
  }
  report.outputs = TRY(Outputs(*permission));
  FillCounts(report);
  return report;
}

}  // namespace soter
