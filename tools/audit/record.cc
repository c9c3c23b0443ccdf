#include "tools/audit/record.h"

namespace soter::audit {
namespace {

constexpr bool kNoProfile = false;

Result<OwnQuery> Ask(EnclaveSession& session, const Tensor& input) {
  control::RunRequest request;
  request.inputs.push_back(input.Clone());
  control::RunReport report = TRY(session.Run(request));
  OwnQuery query;
  query.inputs.push_back(input.Clone());
  for (control::NamedTensor& output : report.outputs) query.outputs.push_back(std::move(output.tensor));
  return query;
}

// Under ennclave the accelerator gets the public network's layers, and the enclave the victim's own last ones.
Status SendModels(EnclaveSession& session, const Victim& victim, control::Scheme scheme) {
  if (scheme == control::Scheme::kEnnclave) TRY(session.SendPublicModel(victim.ancestor.graph()));
  TRY(session.SendModel(victim.truth.graph()));
  return {};
}

double ShareOf(const control::PlanReport& plan) {
  if (plan.mul_adds_total == 0) return 0;
  return static_cast<double>(plan.mul_adds_offloaded) / static_cast<double>(plan.mul_adds_total);
}

}  // namespace

Result<double> OffloadedShare(const Victim& victim, const control::Settings& settings, const Shape& query) {
  EnclaveOptions options;
  options.settings = settings;
  options.needs_worker = false;  // a plan is made in the enclave alone
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(options, nullptr));
  TRY(SendModels(*session, victim, settings.scheme));
  return ShareOf(TRY(session->Plan({{query}, kNoProfile})));
}

Result<Recording> Record(const Victim& victim, const control::Settings& settings, const Tensor& queries,
                         const std::filesystem::path& directory, Progress* progress) {
  EnclaveOptions options;
  options.settings = settings;
  options.worker = "cpu";
  options.needs_worker = settings.scheme != control::Scheme::kMlcapsule;
  options.record_directory = directory.string();
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(options, progress));
  TRY(SendModels(*session, victim, settings.scheme));
  control::PlanReport plan = TRY(session->Plan({{RowsOf(queries, 0, 1).shape()}, kNoProfile}));
  Recording recording;
  recording.share = ShareOf(plan);
  recording.operators = static_cast<uint32_t>(plan.nodes.size());
  recording.linear_offloaded = plan.linear_offloaded, recording.linear_total = plan.linear_total;
  recording.notice = plan.notice;
  for (const control::NodePlan& node : plan.nodes)
    if (node.linear && node.accelerator) recording.placement.push_back(node.value);
  for (size_t q = 0; q < RowCount(queries); ++q) {
    OwnQuery query = TRY(Ask(*session, RowsOf(queries, q, 1)));
    TRY(WriteOwnQuery(directory, q, query));
    recording.view.queries.push_back(std::move(query));
  }
  session.reset();
  if (options.needs_worker) recording.view = TRY(ReadView(directory));
  return recording;
}

}  // namespace soter::audit
