#include "tools/audit/page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tools/cli/text.h"
#include "tools/report/page.h"

namespace soter::audit {
namespace {

std::string Percent(double share) { return FormatFixed(100 * share, 1) + "%"; }

// FormatShort writes counts as such, and shares with two digits.
std::string FormatShort(double value) { return FormatFixed(value, value == std::floor(value) ? 0 : 2); }

std::string Name(const Target& target) {
  std::string name = target.victim + " under " + target.scheme;
  if (target.scheme == "soter") name += ", theta " + FormatFixed(target.theta, 2) + ", check " + target.check;
  return name;
}

std::string Got(const Outcome& outcome) {
  if (!outcome.error.empty()) return "failed: " + outcome.error;
  std::string got = outcome.measures_only ? "" : std::to_string(outcome.broken_layers()) + " of " +
                                                     std::to_string(outcome.layers.size()) + " operators";
  for (const auto& [name, value] : outcome.findings) got += (got.empty() ? "" : "; ") + name + " " + FormatShort(value);
  return got;
}

// FloorOf is the strongest black-box attacker on this victim at the least budget: what anybody can have.
std::string FloorOf(const Report& report, const std::string& victim) {
  const StealingCurve* least = nullptr;
  for (const StealingCurve& curve : report.stealing)
    if (curve.victim == victim && curve.scheme == "black box" && (least == nullptr || curve.budget < least->budget))
      least = &curve;
  return least == nullptr ? "not measured" : Percent(least->floor) + " at " + std::to_string(least->budget) + " queries";
}

report::DataTable TableOf(const Report& report, const std::string& name) {
  report::DataTable table{name,
                          {{"attack"}, {"source"}, {"saw"}, {"got"}, {"mean ADP", true}, {"accuracy", true},
                           {"fidelity", true}, {"membership", true}, {"black-box floor"}, {"result"}},
                          {}};
  for (const Outcome& outcome : report.outcomes) {
    if (Name(outcome.target) != name) continue;
    auto cell = [&](const std::string& value) { return outcome.measures_only ? "-" : value; };
    table.rows.push_back({outcome.attack, outcome.source, outcome.sees, Got(outcome),
                          cell(FormatFixed(outcome.mean_useful_adp(), 3)), cell(Percent(outcome.behaviour.accuracy)),
                          cell(Percent(outcome.behaviour.fidelity)), cell(Percent(outcome.behaviour.membership)),
                          FloorOf(report, outcome.target.victim), Verdict(outcome)});
  }
  return table;
}

void AddSchemes(const Report& report, report::Page& page) {
  page.Heading("What each attack got");
  page.Paragraph("ADP is the share of the difference between victim and public ancestor that stays hidden: 1 the attacker "
                 "knows what is public, 0 it knows all. An operator is broken below 0.98. Accuracy, fidelity and "
                 "membership are those of the ancestor with the guess put in, before any training.");
  std::set<std::string> done;
  for (const Outcome& outcome : report.outcomes) {
    std::string name = Name(outcome.target);
    if (!done.insert(name).second) continue;
    page.Paragraph(name + ": " + Percent(outcome.target.share) + " of the multiply-adds and " +
                   std::to_string(outcome.target.linear_offloaded) + " of " + std::to_string(outcome.target.linear_total) +
                   " linear operators on the accelerator" +
                   (outcome.target.counts() ? "." : ", less than the 70% from which a row counts."));
    page.Add(TableOf(report, name));
  }
}

void AddControls(const Report& report, report::Page& page) {
  page.Heading("Controls");
  if (!report.passed()) page.Note("A control came out wrong: this audit says nothing.");
  report::DataTable table{"What must break, and what must not", {{"control"}, {"attack"}, {"must"}, {"result"}, {"detail"}}, {}};
  for (const Control& control : report.controls)
    table.rows.push_back({control.name, control.attack, control.must_break ? "break" : "withstand",
                          control.passed() ? "as it must" : "WRONG", control.detail});
  page.Add(table);
}

report::Point PointOf(const StealingCurve& curve) {
  double mean = 100 * MeanOf(curve.accuracy), deviation = 100 * DeviationOf(curve.accuracy);
  return {curve.theta, mean, report::Range{mean - deviation, mean + deviation}};
}

// Chosen is one victim's substitutes at one budget with one kind of labels: a figure.
struct Chosen {
  std::string victim;
  size_t budget;
  std::string labels;
  auto operator<=>(const Chosen&) const = default;
  bool Has(const StealingCurve& curve) const {
    return curve.victim == victim && curve.budget == budget && curve.labels == labels;
  }
};

bool HasTheta(const StealingCurve& curve) {
  return curve.scheme == "soter" || curve.scheme == "aegisdnn" || curve.scheme == "ennclave";
}

// Figure 2: accuracy against theta; bars are one deviation over the seeds. A scheme without theta is a level line.
void AddFigure(const Report& report, const Chosen& chosen, report::Page& page) {
  std::map<std::string, report::Series> series;
  double floor = 0, from = 1, to = 0;
  for (const StealingCurve& curve : report.stealing) {
    if (!chosen.Has(curve)) continue;
    if (curve.scheme == "black box") floor = std::max(floor, 100 * curve.floor);
    if (curve.start == "guess" && HasTheta(curve)) from = std::min(from, curve.theta), to = std::max(to, curve.theta);
  }
  for (const StealingCurve& curve : report.stealing) {
    if (!chosen.Has(curve) || curve.start != "guess") continue;
    report::Series& one = series[curve.scheme];
    one.name = curve.scheme;
    one.points.push_back(PointOf(curve));
    if (HasTheta(curve) || from >= to) continue;
    one.points.back().x = from;
    one.points.push_back(one.points.back());
    one.points.back().x = to;
  }
  report::LinePlot plot{.title = chosen.victim + ": accuracy of substitutes, " + std::to_string(chosen.budget) + " queries, " +
                                 chosen.labels + " labels",
                        .description = "Accuracy of a substitute trained from what the attacks found, against theta",
                        .x = {.label = "theta", .from = 0.0, .to = 1.0},
                        .y = {.label = "accuracy, %", .from = 0.0, .to = 100.0},
                        .series = {},
                        .reference = floor};
  for (auto& [name, one] : series) plot.series.push_back(std::move(one));
  page.Figure(report::Draw(plot),
              "Theta is the share of the operators (aegisdnn: layers) on the accelerator; insecure and mlcapsule have none. The "
              "line across is the strongest black-box attacker at the same budget; error bars are one standard deviation "
              "over the seeds. Under ennclave another, less accurate network answers, with a floor of its own (table).");
}

void AddStealing(const Report& report, report::Page& page) {
  if (report.stealing.empty()) return;
  page.Heading("Stealing the function");
  report::DataTable table{"Substitutes",
                          {{"victim"}, {"scheme"}, {"theta", true}, {"on accelerator", true}, {"start"}, {"labels"},
                           {"queries", true}, {"accuracy", true}, {"deviation", true}, {"fidelity", true},
                           {"membership", true}, {"deployed", true}, {"floor", true}, {"above the floor"}},
                          {}};
  std::set<Chosen> figures;
  for (const StealingCurve& curve : report.stealing) {
    if (curve.start == "guess") figures.insert({curve.victim, curve.budget, curve.labels});
    table.rows.push_back({curve.victim, curve.scheme, FormatFixed(curve.theta, 2), Percent(curve.share), curve.start,
                          curve.labels, std::to_string(curve.budget), Percent(MeanOf(curve.accuracy)),
                          Percent(DeviationOf(curve.accuracy)), Percent(MeanOf(curve.fidelity)),
                          Percent(MeanOf(curve.membership)), Percent(curve.deployed), Percent(curve.floor),
                          curve.above_floor ? "yes" : "no"});
  }
  for (const Chosen& figure : figures) AddFigure(report, figure, page);
  page.Add(table);
}

}  // namespace

std::string ReportAsHtml(const Report& report) {
  report::Page page("Soter: audit");
  page.Note("Victims, accelerator and TEE ran on one machine; the development TEE is a plain process. Seed " +
            std::to_string(report.seed) + ", " + std::to_string(report.queries) + " observed queries, " +
            FormatFixed(report.seconds, 0) + " s.");
  if (!report.complete) page.Note("Not complete: the same command goes on from what is here.");
  AddControls(report, page);
  AddSchemes(report, page);
  AddStealing(report, page);
  return page.Html();
}

}  // namespace soter::audit
