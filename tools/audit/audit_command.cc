#include "tools/audit/audit_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <vector>

#include "tools/audit/campaign.h"
#include "tools/audit/foreign_view.h"
#include "tools/audit/page.h"
#include "tools/audit/suite.h"
#include "tools/cli/cleanup.h"
#include "tools/cli/files.h"
#include "tools/cli/options.h"

namespace soter::audit {

Result<std::vector<Attack>> ChosenAttacks(const AuditOptions& options) {
  std::vector<Attack> all = Suite(), chosen;
  std::string known;
  for (const Attack& attack : all) known += (known.empty() ? "" : ", ") + attack.name;
  for (const std::string& name : options.attacks) {
    auto found = std::ranges::find(all, name, &Attack::name);
    if (found == all.end()) return InvalidArgument("--attacks: there is no attack \"" + name + "\"; use " + known);
    chosen.push_back(*found);
  }
  return options.attacks.empty() ? all : chosen;
}

namespace {

namespace fs = std::filesystem;

std::vector<std::string> SchemeNames() {
  std::vector<std::string> names;
  for (uint8_t i = 0; i <= static_cast<uint8_t>(control::Scheme::kLast); ++i)
    names.push_back(SchemeName(static_cast<control::Scheme>(i)));
  return names;
}

Status WriteReport(const std::string& directory, const Report& report) {
  OutputFiles files;
  TRY(files.WriteText(fs::path(directory) / "audit.json", ReportAsJson(report)));
  TRY(files.WriteText(fs::path(directory) / "audit.txt", ReportAsText(report)));
  TRY(files.WriteText(fs::path(directory) / "audit.html", ReportAsHtml(report)));
  return files.Commit();
}

void AddOptions(CLI::App& app, AuditOptions& options) {
  app.add_option("--report", options.report, "the directory to write")->required();
  app.add_option("--victims", options.victims, "which victims")->delimiter(',')->capture_default_str();
  app.add_option("--victims-dir", options.victims_directory, "where trained victims are kept [REPORT/victims]");
  app.add_option("--schemes", options.schemes, "what to attack")
      ->delimiter(',')
      ->check(CLI::IsMember(SchemeNames()))
      ->capture_default_str();
  app.add_option("--attacks", options.attacks, "which attacks [all]")->delimiter(',');
  app.add_option("--theta", options.thetas, "shares of the operators that are offloaded, where a scheme has one")
      ->delimiter(',')
      ->check(Fraction())
      ->capture_default_str();
  AddCheckOption(app, "--check", options.check, "of the scheme soter [its own]");
  app.add_option("--queries", options.queries, "that the adversary makes and observes")
      ->check(CLI::Range(size_t{1}, size_t{100000}))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of every secret and every choice")->capture_default_str();
  app.add_option("--budgets", options.budgets, "queries with which substitutes are trained; 0: none are [of each victim its own]")
      ->delimiter(',');
  app.add_option("--seeds", options.seeds, "substitutes trained for each point")
      ->check(CLI::Range(size_t{1}, size_t{100}))
      ->capture_default_str();
  app.add_flag("--small", options.small, "small victims, one budget, one seed: for a quick look");
  CLI::Option* view = app.add_option("--view", options.views,
                                     "attack this recording (soter worker --record); once for each load of one model");
  CLI::Option* ancestor = app.add_option("--ancestor", options.ancestor, "for --view: the public network, ONNX");
  app.add_option("--truth", options.truth, "for --view: the victim itself, to score with")->needs(view);
  app.add_option("--attack-program", options.attack_program, "an attack of your own (docs/spec/attack-program.md)");
  view->needs(ancestor);
  ancestor->needs(view);
}

// MakeSmall: what the user did not choose becomes a quick look.
void MakeSmall(const CLI::App& app, AuditOptions& options) {
  options.seeds = 1;
  if (app.count("--victims") == 0) options.victims = {"digits"};
  if (app.count("--schemes") == 0) options.schemes = {"insecure", "soter", "mlcapsule"};
  if (app.count("--theta") == 0) options.thetas = {0.8};
}

Result<int> Audit(const AuditOptions& options) {
  std::error_code error;
  fs::create_directories(options.report, error);
  if (error) return InvalidArgument("--report " + options.report + ": " + error.message());
  if (!options.views.empty()) {
    std::fputs(TRY(AttackForeignView(options)).c_str(), stdout);
    return 0;
  }
  Progress progress;
  std::atomic<bool> done = false;
  Cleanup note([&] {
    if (!done) std::fputs(("soter audit: what is done so far lies in " + options.report +
                           "; the same command goes on from there\n").c_str(), stderr);
  });
  Report report = TRY(RunCampaign(options, progress, [&](const Report& part) { return WriteReport(options.report, part); }));
  done = true;
  progress.Clear();
  std::fputs(ReportAsText(report).c_str(), stdout);
  if (report.passed()) return 0;
  std::fputs("soter audit: a control came out wrong: this audit says nothing\n", stderr);
  return 1;
}

}  // namespace

Result<int> AuditMain(int argc, char** argv) {
  AuditOptions options;
  CLI::App app("Run the published attacks against what an accelerator sees.", "soter audit");
  AddOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return InvalidArgument(std::string(error.what()) + " (soter audit --help lists what there is)");
  }
  options.steal = options.budgets.empty() || std::erase(options.budgets, size_t{0}) == 0;
  if (options.small) MakeSmall(app, options);
  return Audit(options);
}

}  // namespace soter::audit
