#include "tools/cli/bench_measure.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "owner/zoo/zoo.h"
#include "tools/bench/claims.h"
#include "tools/bench/compare.h"
#include "tools/bench/other_reports.h"
#include "tools/bench/page.h"
#include "tools/bench/results_json.h"
#include "tools/cli/bench_plan.h"
#include "tools/cli/child_process.h"
#include "tools/cli/files.h"
#include "tools/cli/model.h"
#include "tools/cli/options.h"
#include "tools/cli/text.h"

namespace soter {

namespace {

namespace fs = std::filesystem;
using bench::Configuration;
using bench::Measurement;

std::string MachineLine() {
  std::ifstream info("/proc/cpuinfo");
  std::string processor = "unknown processor";
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
      processor = line.substr(line.find(": ") + 2);
      break;
    }
  double gib = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE)) / (1 << 30);
  return processor + ", " + std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " processors, " + FormatFixed(gib, 0) + " GiB";
}

std::string Today() {
  std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  return text;
}

Result<std::string> ReadText(const std::string& path) {
  Buffer file = TRY(ReadFile(path));
  return std::string(reinterpret_cast<const char*>(file.bytes().data()), file.size());
}

class SchemeBench {
 public:
  explicit SchemeBench(const BenchOptions& options) : options_(options) {}

  Status Run() {
    TRY(CheckOptions());
    configurations_ = bench::Configurations(options_);
    for (const Configuration& c : configurations_) results_.measurements.push_back({.configuration = c});
    for (const std::string& model : options_.models) TRY(MeasureModel(model));
    results_.complete = true;
    TRY(Write());
    progress_.Clear();
    std::fputs(TRY(SummaryText()).c_str(), stdout);
    return {};
  }

 private:
  Status CheckOptions() {
    TRY(CheckOutputDirectory(options_.report));
    for (const std::string& scheme : options_.schemes)
      if (!bench::IsScheme(scheme)) return InvalidArgument("--schemes: there is no scheme \"" + scheme + "\"");
    if (!options_.compare.empty()) {
      Result<bench::Results> old = bench::DecodeJson(TRY(ReadText(options_.compare)));
      if (!old.ok()) return Annotate(old.error(), "--compare: " + options_.compare);
      before_ = std::move(old).value();
    }
    for (const std::string& dim : options_.dims) {
      size_t equals = dim.rfind('=');
      bool fits = equals != std::string::npos && equals > 0 && equals + 1 < dim.size() &&
                  dim.find_first_not_of("0123456789", equals + 1) == std::string::npos;
      if (!fits) return InvalidArgument("--dim " + dim + ": give SYMBOL=EXTENT");
    }
    TRY(AddClaims("--audit-json", options_.audit_json, bench::ClaimsOfAudit));
    TRY(AddClaims("--integrity-json", options_.integrity_json, bench::ClaimsOfIntegrity));
    if (!options_.public_model.empty()) public_model_ = TRY(LoadModel(options_.public_model, nullptr, nullptr));
    threads_ = options_.threads > 0 ? options_.threads : static_cast<uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    results_ = {.machine = MachineLine(), .tee = "", .backend = "", .device = "", .date = Today(), .version = SOTER_VERSION,
                .accelerator_model = options_.accelerator_model,
                .protocol = {options_.rounds, options_.repeat, options_.warm_up, threads_, options_.accelerator.precision,
                             options_.dims}};
    return {};
  }

  Status AddClaims(const char* option, const std::string& path, Result<std::vector<bench::Claim>> (*judge)(std::string_view)) {
    if (path.empty()) return {};
    Result<std::vector<bench::Claim>> claims = judge(TRY(ReadText(path)));
    if (!claims.ok()) return Annotate(claims.error(), std::string(option) + ": " + path);
    other_claims_.insert(other_claims_.end(), claims->begin(), claims->end());
    return {};
  }

  Result<ValidatedGraph> Load(const std::string& model) {
    auto names = ZooNames();
    if (std::find(names.begin(), names.end(), model) == names.end()) return LoadModel(model, nullptr, nullptr);
    progress_.Show("writing " + model, Fraction());
    std::unique_ptr<ScratchDirectory> scratch = TRY(ScratchDirectory::Make());
    fs::path path = scratch->path() / (model + ".onnx");
    TRY(WriteZooModel(model, path, 1));
    return LoadModel(path.string(), nullptr, nullptr);
  }

  // All configurations of a network take turns, round after round.
  Status MeasureModel(const std::string& model) {
    ValidatedGraph graph = TRY(Load(model));
    placements_.clear();
    for (uint32_t round = 0; round < options_.rounds; ++round)
      for (size_t i = 0; i < configurations_.size(); ++i) {
        if (configurations_[i].model != model) continue;
        TellProgress(configurations_[i], round);
        Measurement& measurement = results_.measurements[i];
        if (measurement.skipped.empty()) TRY(MeasureRound(graph, round, measurement));
        ++done_;
        TRY(Write());
      }
    return {};
  }

  // What a network or a scheme cannot do is a finding; everything else ends the program.
  Status MeasureRound(const ValidatedGraph& graph, uint32_t round, Measurement& measurement) {
    Status status = TryRound(graph, round, measurement);
    if (status.ok()) return status;
    ErrorCode code = status.error().code;
    bool finding = code == ErrorCode::kUnsupported || code == ErrorCode::kMalformed || code == ErrorCode::kInvalidArgument;
    if (!finding) return status;
    measurement.skipped = status.error().message;
    measurement.shares.clear();
    measurement.rounds.clear();
    return {};
  }

  Status TryRound(const ValidatedGraph& graph, uint32_t round, Measurement& measurement) {
    const Configuration& c = measurement.configuration;
    ValidatedGraph sized = TRY(bench::WithInputSize(graph, c.input_size));
    control::RunRequest request;
    request.inputs = TRY(ChooseInputs(sized.graph(), TRY(bench::InputsFor(options_, sized.graph(), c.batch))));
    TRY(CheckShapes(sized, ShapesOf(request.inputs)));
    EnclaveOptions enclave = OptionsFor(c);
    std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, nullptr));
    if (c.scheme == "ennclave") TRY(session->SendPublicModel(TRY(PublicModel()).graph()));
    results_.tee = TRY(session->SendModel(sized.graph())).tee;
    TRY(Plan(*session, request, round == 0 && options_.predict, measurement));
    // A modelled accelerator computes what it has not seen yet: that must not count.
    uint32_t warm_up = std::max(options_.warm_up, options_.accelerator_model.empty() ? 0u : 1u);
    if (warm_up > 0) {
      request.repeat = warm_up;
      TRY(session->Run(request));
    }
    request.repeat = options_.repeat;
    TakeIn(TRY(session->Run(request)), round, measurement);
    return {};
  }

  Result<ValidatedGraph> PublicModel() const {
    if (!public_model_.has_value()) return InvalidArgument("ennclave needs a public model: give --public PUBLIC.onnx");
    return *public_model_;
  }

  EnclaveOptions OptionsFor(const Configuration& c) {
    EnclaveOptions enclave{.worker = options_.worker, .accelerator_model = options_.accelerator_model};
    control::Settings& settings = enclave.settings;
    if (UsesWorker(SchemeFromName(c.scheme))) Apply(options_.accelerator, settings);
    settings.scheme = SchemeFromName(c.scheme);
    settings.theta = c.theta;
    settings.check = CheckFromName(c.check);
    settings.threads = settings.worker_threads = threads_;
    settings.deadline_ms = options_.deadline_ms, settings.sdc_rate = options_.sdc_rate;
    settings.fault_rounds = options_.fault_rounds;
    auto known = placements_.find(bench::PlacementKey(c));
    if (c.scheme == "aegisdnn" && known != placements_.end()) settings.placement = known->second;
    enclave.needs_worker = UsesWorker(settings.scheme);
    return enclave;
  }

  // aegisdnn's own choice is made once; soter's is drawn in every round, and then lent to aegisdnn.
  Status Plan(EnclaveSession& session, const control::RunRequest& run, bool predict, Measurement& measurement) {
    control::PlanRequest request{.input_shapes = ShapesOf(run.inputs), .profile = false, .predict = predict};
    control::PlanReport plan = TRY(session.Plan(request));
    bench::TakePlan(plan, measurement);
    const Configuration& c = measurement.configuration;
    if (c.scheme == "soter" || (c.scheme == "aegisdnn" && c.variant.empty()))
      placements_[bench::PlacementKey(c)] = bench::PlacementOf(plan);
    return {};
  }

  void TakeIn(const control::RunReport& report, uint32_t round, Measurement& measurement) {
    measurement.rounds.push_back(report.repeats);
    measurement.counts.switches = report.switches;
    measurement.counts.bytes_sent = report.bytes_sent, measurement.counts.bytes_received = report.bytes_received;
    if (round == 0 && measurement.expected_ms > 0) measurement.predicted_round_ms = bench::Summarise(measurement)->median;
    if (!report.backend.empty()) results_.backend = report.backend, results_.device = report.device;
  }

  double Fraction() const {
    return static_cast<double>(done_) / static_cast<double>(std::max<size_t>(1, configurations_.size() * options_.rounds));
  }

  void TellProgress(const Configuration& c, uint32_t round) {
    std::string text = c.model + ", " + bench::Label(c) + ", round " + std::to_string(round + 1);
    std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started_;
    if (done_ > 0) text = "about " + FormatFixed(elapsed.count() * (1 / Fraction() - 1), 0) + " s left: " + text;
    progress_.Show(text, Fraction());
  }

  Status Write() {
    std::vector<bench::Claim> claims = bench::JudgeClaims(results_, other_claims_);
    fs::path directory = options_.report;
    OutputFiles files;
    TRY(files.WriteText(directory / "report.json", bench::EncodeJson(results_, claims)));
    TRY(files.WriteText(directory / "report.csv", bench::EncodeCsv(results_)));
    TRY(files.WriteText(directory / "report.html", bench::EncodeHtml(results_, claims)));
    return files.Commit();
  }

  Result<std::string> SummaryText() const {
    std::string text = bench::SummaryText(results_);
    for (const bench::Claim& claim : bench::JudgeClaims(results_, other_claims_))
      text += claim.id + "  " + bench::VerdictName(claim.verdict) + ": " + claim.text + "\n";
    text += "\nreport in " + (fs::path(options_.report) / "report.html").string() + "\n";
    if (before_.has_value()) text += "\nsince " + options_.compare + ":\n" + TRY(bench::CompareText(*before_, results_));
    return text;
  }

  const BenchOptions& options_;
  Progress progress_;
  uint32_t threads_ = 1;
  std::optional<bench::Results> before_;
  std::vector<bench::Claim> other_claims_;
  std::optional<ValidatedGraph> public_model_;
  std::vector<Configuration> configurations_;
  std::map<std::string, std::vector<uint32_t>> placements_;
  bench::Results results_;
  size_t done_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace

Status BenchSchemes(const BenchOptions& options) { return SchemeBench(options).Run(); }

}  // namespace soter
