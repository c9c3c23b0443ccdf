#include "trusted/engine/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "common/graph/op_traits.h"
#include "trusted/check/waiver.h"
#include "trusted/engine/activation_layout.h"
#include "trusted/engine/plan_report.h"
#include "trusted/engine/profile.h"
#include "trusted/mask/transfer.h"

namespace soter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPlanSamples = 2;  // the first run of an operator pays for cold caches

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

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

bool AllFinite(std::span<const float> values) {
  bool finite = true;
  for (float value : values) finite &= std::isfinite(value);
  return finite;
}

std::unique_ptr<RandomSource> MakeRandom(const control::Settings& settings) {
  return settings.seed.has_value() ? MakeSeededRandom(*settings.seed) : MakeSystemRandom();
}

}  // namespace

bool NeedsAccelerator(Scheme scheme) { return scheme != Scheme::kMlcapsule; }

Status ValidateSettings(const control::Settings& settings) {
  if (!(settings.theta >= 0.0 && settings.theta <= 1.0)) return InvalidArgument("--theta must lie between 0 and 1");
  if (!(settings.fingerprint_rate >= 0.0 && settings.fingerprint_rate <= 1.0))
    return InvalidArgument("--fingerprint-rate must lie between 0 and 1");
  if (settings.cornerstones < 1 || settings.cornerstones > 1024)
    return InvalidArgument("cornerstones must lie between 1 and 1024");
  if (settings.threads < 1 || settings.threads > 1024) return InvalidArgument("--threads must lie between 1 and 1024");
  bool checks_nothing = settings.scheme == Scheme::kInsecure || settings.scheme == Scheme::kMlcapsule;
  if (checks_nothing && settings.check != Check::kNone)
    return InvalidArgument(std::string("scheme ") + SchemeName(settings.scheme) + " has no check; use --check none");
#ifndef SOTER_DEVELOPMENT
  if (settings.seed.has_value() || settings.force_unit_scales)
    return InvalidArgument("repeatable secrets exist in development builds only");
#endif
  if (settings.check == Check::kFreivalds) return Unsupported("check freivalds is not in this build; use fingerprint or none");
  if (settings.scheme != Scheme::kInsecure && settings.scheme != Scheme::kMlcapsule && settings.scheme != Scheme::kSoter)
    return Unsupported(std::string("scheme ") + SchemeName(settings.scheme) +
                       " is not in this build; use insecure, mlcapsule or soter");
  return {};
}

Session::Session(ValidatedGraph model, control::Settings settings, Connect connect, WeightStore weights)
    : model_(std::move(model)), settings_(std::move(settings)), connect_(std::move(connect)), weights_(std::move(weights)),
      random_(MakeRandom(settings_)), scales_(*random_, settings_.force_unit_scales) {
  if (settings_.scheme == Scheme::kSoter) selection_ = SelectAtRandom(model_.graph(), settings_.theta, *random_);
}

Result<std::unique_ptr<Session>> Session::Create(ValidatedGraph model, control::Settings settings, Connect connect) {
  TRY(ValidateSettings(settings));
  Graph graph = std::move(model).Take();
  // Only a model that takes one set of shapes is bound once.
  WhenReleased when_released = graph.symbols.empty() ? WhenReleased::kForget : WhenReleased::kKeepOutside;
  WeightStore weights = WeightStore::FromGraph(graph, when_released);
  ValidatedGraph structure = TRY(ValidatedGraph::Validate(std::move(graph)));
  return std::unique_ptr<Session>(
      new Session(std::move(structure), std::move(settings), std::move(connect), std::move(weights)));
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

Result<ValidatedPlan> Session::PlanFor(const StaticGraph& graph) {
  return PlanGraph(graph, settings_.scheme, settings_.check, selection_);
}

Result<control::PlanReport> Session::Plan(const control::PlanRequest& request) {
  StaticGraph graph = TRY(Bind(model_, request.input_shapes));
  ValidatedPlan plan = TRY(PlanFor(graph));
  std::vector<double> node_ms;
  if (request.profile)
    TRY(ProfileGraph(graph, weights_, static_cast<int>(settings_.threads), kPlanSamples, *random_,
                     [&](const NodeProfile& profile) -> Status {
                       node_ms.push_back(profile.milliseconds);
                       return {};
                     }));
  return ReportPlan(graph, plan.plan(), node_ms);
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

Status Session::Prepare(const std::vector<Shape>& shapes) {
  if (binding_ != nullptr && shapes == bound_shapes_) return {};
  Clock::time_point start = Clock::now();
  binding_.reset();
  StaticGraph graph = TRY(Bind(model_, shapes));
  ValidatedPlan plan = TRY(PlanFor(graph));
  if (NeedsAccelerator(settings_.scheme) && accelerator_ == nullptr) accelerator_ = TRY(connect_());
  Layout layout = TRY(ActivationLayout(static_cast<int>(settings_.threads)));
  BindingContext context{settings_, weights_, scales_, *random_, accelerator_.get(), uploads_, layout};
  binding_ = TRY(FromAccelerator(BuildBinding(context, std::move(graph), std::move(plan))));
  bound_shapes_ = shapes;
  load_ms_ = MillisecondsSince(start);
  return {};
}

Accelerator::Deadline Session::NextDeadline() const { return Clock::now() + std::chrono::milliseconds(settings_.timeout_ms); }

Status Session::RunOnAccelerator(AcceleratorStage& stage, control::Latency& latency) {
  Clock::time_point start = Clock::now();
  for (size_t i = 0; i < stage.sends.size(); ++i) {
    const Crossing& send = stage.sends[i];
    std::span<std::byte> target = accelerator_->InputBuffer(stage.segment, i);
    if (send.edge->type.dtype == DType::kFloat32) SendScaled(send.edge->floats(), send.scale, target);
    else std::memcpy(target.data(), send.edge->buffer.bytes().data(), target.size());
  }
  TRY(accelerator_->Start(stage.segment, NextDeadline()));
  latency.switching += MillisecondsSince(start);
  Waiver waiver(settings_.check);
  for (size_t i = 0; i < stage.receives.size(); ++i) {
    Clock::time_point wait = Clock::now();
    UntrustedTensor answer = TRY(accelerator_->Await(stage.segment, i, NextDeadline()));
    latency.accelerator += MillisecondsSince(wait);
    Clock::time_point copy = Clock::now();
    const Crossing& receive = stage.receives[i];
    Waive(waiver, TRY(TakeIn(answer, 1.0f / receive.scale, receive.edge->tensor())));
    latency.switching += MillisecondsSince(copy);
  }
  latency.reported += static_cast<double>(TRY(accelerator_->Finish(stage.segment, NextDeadline()))) * 1e-6;
  return {};
}

Status Session::CheckFingerprint(FingerprintProbe& probe) {
  std::span<std::byte> input = probe.input.bytes();
  std::span<float> x(reinterpret_cast<float*>(input.data()), input.size() / sizeof(float));
  probe.fingerprint.Draw(*random_, x);
  SendScaled(x, probe.input_scale, accelerator_->InputBuffer(probe.segment, 0));
  TRY(accelerator_->Start(probe.segment, NextDeadline()));
  UntrustedTensor answer = TRY(accelerator_->Await(probe.segment, 0, NextDeadline()));
  Claim claim = TRY(TakeIn(answer, 1.0f / probe.output_scale, {probe.output_type, Layout::kDense, probe.output.bytes()}));
  TRY(accelerator_->Finish(probe.segment, NextDeadline()));
  ++checks_made_;
  Result<Verified<PrivateTensor>> verified = probe.fingerprint.Check(std::move(claim));
  if (verified.ok()) return {};
  ++checks_failed_;
  return verified.error();
}

Status Session::CheckFingerprints() {
  for (FingerprintProbe& probe : binding_->probes)
    if (random_->NextUniform() < settings_.fingerprint_rate) TRY(CheckFingerprint(probe));
  return {};
}

Status Session::RunStages(control::Latency& latency) {
  for (StageStep& step : binding_->steps) {
    if (step.accelerator != nullptr) {
      TRY(RunOnAccelerator(*step.accelerator, latency));
      continue;
    }
    Clock::time_point start = Clock::now();
    TRY(step.enclave->program.Run(step.enclave->inputs, step.enclave->outputs));
    latency.trusted += MillisecondsSince(start);
  }
  Clock::time_point start = Clock::now();
  TRY(CheckFingerprints());
  latency.check += MillisecondsSince(start);
  return {};
}

Status Session::RunOnce(const control::RunRequest& request, control::Latency& latency) {
  Clock::time_point start = Clock::now();
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    auto edge = binding_->edges.find(model_.graph().inputs[i].value);
    std::span<const std::byte> source = request.inputs[i].bytes();
    if (!source.empty()) std::memcpy(edge->second->buffer.bytes().data(), source.data(), source.size());
  }
  latency.trusted += MillisecondsSince(start);
  TRY(FromAccelerator(RunStages(latency)));
  latency.total = MillisecondsSince(start);
  return {};
}

Result<std::vector<control::NamedTensor>> Session::Outputs() const {
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
  for (const StageStep& step : binding_->steps) report.switches += step.accelerator != nullptr;
  report.checks_made = checks_made_;
  report.checks_failed = checks_failed_;
  if (settings_.check != Check::kNone && checks_made_ > 0) report.verified = checks_failed_ == 0 ? 1 : 0;
  report.load_ms = load_ms_;
  report.notice = Notice(settings_.scheme, settings_.check);
  if (accelerator_ != nullptr) {
    report.backend = accelerator_->info().backend;
    report.device = accelerator_->info().device;
  }
}

Result<control::RunReport> Session::Run(const control::RunRequest& request) {
  std::vector<Shape> shapes = TRY(CheckInputs(request));
  TRY(Prepare(shapes));
  control::RunReport report;
  uint64_t sent = accelerator_ ? accelerator_->bytes_sent() : 0, received = accelerator_ ? accelerator_->bytes_received() : 0;
  uint32_t repeat = std::max<uint32_t>(request.repeat, 1);
  for (uint32_t i = 0; i < repeat; ++i) {
    report.repeats.emplace_back();
    Status status = RunOnce(request, report.repeats.back());
    if (!status.ok()) {
      binding_.reset();  // what it holds may be half an answer
      return status.error();
    }
  }
  if (accelerator_ != nullptr) {
    report.bytes_sent = (accelerator_->bytes_sent() - sent) / repeat;
    report.bytes_received = (accelerator_->bytes_received() - received) / repeat;
  }
  report.outputs = TRY(Outputs());
  FillCounts(report);
  return report;
}

}  // namespace soter
