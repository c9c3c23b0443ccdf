#include <algorithm>
#include <cmath>

#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"
#include "trusted/testing/networks.h"

namespace soter::integrity {
namespace {

double RelativeError(const Tensor& got, const Tensor& want) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < want.As<float>().size(); ++i) {
    largest = std::max(largest, std::abs(double{want.As<float>()[i]}));
    difference = std::max(difference, std::abs(double{got.As<float>()[i]} - want.As<float>()[i]));
  }
  return difference / largest;
}

SpanRow Attack(control::Check check, const CampaignOptions& options) {
  SpanRow row{.model = "small CNN", .check = check == control::Check::kFingerprint ? "fingerprint" : "freivalds"};
  hostile::Liar liar(*hostile::FindBug("tamper-real-queries-only").value(), {});
  ValidatedGraph model = testing::WideCnn(1);
  const Graph graph{.value_names = model.graph().value_names, .inputs = model.graph().inputs};
  control::Settings settings{.scheme = control::Scheme::kSoter, .theta = 1.0, .check = check, .threads = options.threads};
  auto session = LyingSession::Create(std::move(model), settings, &liar).value();
  control::Settings trusted{.scheme = control::Scheme::kMlcapsule, .check = control::Check::kNone, .threads = options.threads};
  auto reference = LyingSession::Create(testing::WideCnn(1), trusted, nullptr).value();
  auto random = MakeSeededRandom(options.seed);
  for (; row.queries < options.queries && !Stopped(); ++row.queries) {
    std::vector<Tensor> inputs = RandomInputs(graph, *random);
    Result<control::RunReport> report = session->Run(inputs);
    if (!report.ok()) {
      ++row.detected;
      if (report.error().code != ErrorCode::kIntegrity) break;  // the worker was given up
      continue;
    }
    Result<control::RunReport> right = reference->Run(inputs);
    if (!right.ok() || RelativeError(report->outputs[0].tensor, right->outputs[0].tensor) < 1e-3) continue;
    if (row.wrong_accepted++ == 0) row.first_wrong = row.queries + 1;
  }
  for (const auto& [segment, attack] : liar.attacks()) {
    if (attack.found_after() == 0 || (row.found_after != 0 && attack.found_after() >= row.found_after)) continue;
    row.found_after = attack.found_after(), row.dimension = attack.dimension();
  }
  return row;
}

}  // namespace

std::vector<SpanRow> MeasureSpanAttack(const CampaignOptions& options) {
  std::vector<SpanRow> rows;
  for (control::Check check : {control::Check::kFingerprint, control::Check::kFreivalds}) {
    Say(std::string("span attack on ") + (check == control::Check::kFingerprint ? "fingerprints" : "freivalds"));
    rows.push_back(Attack(check, options));
  }
  return rows;
}

}  // namespace soter::integrity
