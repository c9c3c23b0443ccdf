#include <cmath>
#include <functional>

#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"

// Whole networks with an honest accelerator: inputs of every size, and those that one would try in order to make an honest
// worker fail its check.
namespace soter::integrity {
namespace {

struct InputKind {
  const char* name;
  std::function<double(size_t index, RandomSource& random)> draw;
};

std::function<double(size_t, RandomSource&)> Gaussian(double size) {
  return [size](size_t, RandomSource& random) { return size * random.NextGaussian(); };
}

const InputKind kKinds[] = {
    {"gaussian", Gaussian(1)},
    {"gaussian, 1e-3", Gaussian(1e-3)},
    {"gaussian, 1e3", Gaussian(1e3)},
    {"zeros", [](size_t, RandomSource&) { return 0.0; }},
    {"ones", [](size_t, RandomSource&) { return 1.0; }},
    {"denormals", Gaussian(1e-40)},
    {"one value of 1e6 among zeros", [](size_t index, RandomSource&) { return index == 1000 ? 1e6 : 0.0; }},
    {"alternating signs", [](size_t index, RandomSource&) { return index % 2 == 0 ? 1.0 : -1.0; }},
    {"gaussian, 1e10", Gaussian(1e10)},
    {"gaussian, 1e20", Gaussian(1e20)},
    {"gaussian, 1e37", Gaussian(1e37)},
};

Status MeasureModel(const std::string& name, const CampaignOptions& options, std::vector<HonestRow>& rows) {
  ValidatedGraph model = TRY(ZooModel(name));
  const Graph graph{.value_names = model.graph().value_names, .inputs = model.graph().inputs};
  control::Settings settings{.scheme = control::Scheme::kVerified, .check = control::Check::kFreivalds, .threads = options.threads};
  settings.timeout_ms = 600'000;
  auto random = MakeSeededRandom(options.seed);
  auto session = TRY(LyingSession::Create(TRY(ZooModel(name)), settings, nullptr));
  for (const InputKind& kind : kKinds) {
    HonestRow row{.model = name, .inputs = kind.name};
    for (uint64_t i = 0; i < options.honest_runs && !Stopped(); ++i, ++row.queries) {
      std::vector<Tensor> inputs = RandomInputs(graph, *random);
      for (Tensor& input : inputs)
        if (input.dtype() == DType::kFloat32)
          for (size_t at = 0; float& value : input.MutableAs<float>()) value = static_cast<float>(kind.draw(at++, *random));
      Result<control::RunReport> report = session->Run(inputs);
      row.alarms += !report.ok() && report.error().code == ErrorCode::kIntegrity;
      if (report.ok()) continue;
      // Three failures and a worker is given up; this one is honest.
      session = TRY(LyingSession::Create(TRY(ZooModel(name)), settings, nullptr));
    }
    rows.push_back(row);
  }
  return {};
}

}  // namespace

std::vector<HonestRow> MeasureHonestNetworks(const CampaignOptions& options) {
  std::vector<HonestRow> rows;
  for (const std::string& model : options.models) {
    if (Stopped()) break;
    Say("honest networks: " + model);
    Status measured = MeasureModel(model, options, rows);
    if (!measured.ok()) Say(measured.error().message);
  }
  return rows;
}

}  // namespace soter::integrity
