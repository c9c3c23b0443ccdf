#include "tools/audit/outcome.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/cli/text.h"

namespace soter::audit {
namespace {

using Json = nlohmann::ordered_json;

std::string Percent(double share) { return FormatFixed(100 * share, 1) + "%"; }

std::string SchemeText(const Target& target) {
  std::string text = target.scheme;
  if (target.scheme == "soter") text += " " + FormatFixed(target.theta, 2);
  return target.check == "none" ? text : text + " " + target.check;
}

Json LayerAsJson(const LayerScore& layer) {
  return {{"layer", layer.name}, {"guessed", layer.guessed}, {"adp", layer.adp},
          {"relative_error", layer.relative_error}, {"r2", layer.r2}};
}

Json OutcomeAsJson(const Outcome& outcome) {
  const Target& target = outcome.target;
  Json layers = Json::array();
  for (const LayerScore& layer : outcome.layers) layers.push_back(LayerAsJson(layer));
  Json json = {{"victim", target.victim},
               {"scheme", target.scheme},
               {"theta", target.theta},
               {"check", target.check},
               {"share_on_accelerator", target.share},
               {"counts", target.counts()},
               {"linear_offloaded", target.linear_offloaded},
               {"linear_total", target.linear_total},
               {"attack", outcome.attack},
               {"source", outcome.source},
               {"sees", outcome.sees},
               {"result", Verdict(outcome)},
               {"broken", outcome.broken()},
               {"broken_layers", outcome.broken_layers()},
               {"least_adp", outcome.least_adp()},
               {"mean_adp", outcome.mean_adp()},
               {"mean_useful_adp", outcome.mean_useful_adp()},
               {"layers", layers},
               {"findings", outcome.findings},
               {"substitute",
                {{"accuracy", outcome.behaviour.accuracy},
                 {"fidelity", outcome.behaviour.fidelity},
                 {"membership", outcome.behaviour.membership}}},
               {"seconds", outcome.seconds}};
  if (!outcome.error.empty()) json["error"] = outcome.error;
  return json;
}

}  // namespace

std::string Verdict(const Outcome& outcome) {
  if (!outcome.error.empty()) return "failed";
  if (outcome.measures_only) return "a measurement";
  std::string verdict = outcome.broken()                 ? "broken"
                        : outcome.guessed_layers() == 0 ? "no guess"
                                                         : "not broken";
  return outcome.target.counts() ? verdict : verdict + ", does not count";
}

size_t Outcome::guessed_layers() const {
  return static_cast<size_t>(std::ranges::count_if(layers, [](const LayerScore& layer) { return layer.guessed; }));
}

size_t Outcome::broken_layers() const {
  return static_cast<size_t>(std::ranges::count_if(
      layers, [](const LayerScore& layer) { return layer.adp < kLeastAdp && layer.relative_error < 1; }));
}

bool Outcome::broken() const { return broken_layers() > 0; }

double Outcome::least_adp() const {
  double least = 1;
  for (const LayerScore& layer : layers) least = std::min(least, layer.adp);
  return least;
}

double Outcome::mean_adp() const {
  double sum = 0;
  for (const LayerScore& layer : layers) sum += layer.adp;
  return layers.empty() ? 1 : sum / static_cast<double>(layers.size());
}

double Outcome::mean_useful_adp() const {
  double sum = 0;
  for (const LayerScore& layer : layers) sum += layer.relative_error < 1 ? layer.adp : 1;
  return layers.empty() ? 1 : sum / static_cast<double>(layers.size());
}

double MeanOf(std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double DeviationOf(std::span<const double> values) {
  if (values.size() < 2) return 0;
  double mean = MeanOf(values), sum = 0;
  for (double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

bool Report::passed() const {
  return std::ranges::all_of(controls, [](const Control& control) { return control.passed(); });
}

namespace {

std::string StealingAsText(const Report& report) {
  Table table({{"victim"}, {"scheme"}, {"theta", Table::Align::kRight}, {"start"}, {"labels"},
               {"queries", Table::Align::kRight}, {"accuracy", Table::Align::kRight}, {"deviation", Table::Align::kRight},
               {"fidelity", Table::Align::kRight}, {"floor", Table::Align::kRight}, {"above the floor"}});
  for (const StealingCurve& curve : report.stealing)
    table.AddRow({curve.victim, curve.scheme, FormatFixed(curve.theta, 2), curve.start, curve.labels,
                  std::to_string(curve.budget), Percent(MeanOf(curve.accuracy)), Percent(DeviationOf(curve.accuracy)),
                  Percent(MeanOf(curve.fidelity)), Percent(curve.floor), curve.above_floor ? "yes" : "no"});
  return table.Text();
}

Json StealingAsJson(const StealingCurve& curve) {
  return {{"victim", curve.victim}, {"scheme", curve.scheme}, {"theta", curve.theta},
          {"share_on_accelerator", curve.share}, {"start", curve.start}, {"labels", curve.labels},
          {"queries", curve.budget}, {"accuracy", curve.accuracy}, {"fidelity", curve.fidelity},
          {"membership", curve.membership},
          {"deployed_accuracy", curve.deployed}, {"floor", curve.floor}, {"above_floor", curve.above_floor}};
}

}  // namespace

// What attacks measured beside weights, where they had anything to look at.
std::string FindingsAsText(const Report& report) {
  Table table({{"victim"}, {"scheme"}, {"attack"}, {"what it measured"}, {"value", Table::Align::kRight}});
  bool any = false;
  for (const Outcome& outcome : report.outcomes)
    for (const auto& [name, value] : outcome.findings) {
      bool count = value == std::floor(value);
      table.AddRow({outcome.target.victim, SchemeText(outcome.target), outcome.attack, name,
                    FormatFixed(value, count ? 0 : 3)});
      any = true;
    }
  return any ? table.Text() + "\n" : "";
}

std::string ReportAsText(const Report& report) {
  Table table({{"victim"}, {"scheme"}, {"on accelerator", Table::Align::kRight}, {"attack"},
               {"layers", Table::Align::kRight}, {"mean ADP", Table::Align::kRight}, {"accuracy", Table::Align::kRight},
               {"fidelity", Table::Align::kRight}, {"membership", Table::Align::kRight}, {"result"}});
  for (const Outcome& outcome : report.outcomes) {
    auto cell = [&](const std::string& value) { return outcome.measures_only ? "-" : value; };
    table.AddRow({outcome.target.victim, SchemeText(outcome.target), Percent(outcome.target.share), outcome.attack,
                  cell(std::to_string(outcome.broken_layers()) + "/" + std::to_string(outcome.layers.size())),
                  cell(FormatFixed(outcome.mean_useful_adp(), 3)), cell(Percent(outcome.behaviour.accuracy)),
                  cell(Percent(outcome.behaviour.fidelity)), cell(Percent(outcome.behaviour.membership)), Verdict(outcome)});
  }
  Table controls({{"control"}, {"attack"}, {"must"}, {"result"}, {"detail"}});
  for (const Control& control : report.controls)
    controls.AddRow({control.name, control.attack, control.must_break ? "break" : "withstand",
                     control.passed() ? "as it must" : "WRONG", control.detail});
  std::string text = table.Text() + "\n" + FindingsAsText(report) + controls.Text();
  return report.stealing.empty() ? text : text + "\n" + StealingAsText(report);
}

std::string ReportAsJson(const Report& report) {
  Json outcomes = Json::array(), controls = Json::array(), stealing = Json::array();
  for (const StealingCurve& curve : report.stealing) stealing.push_back(StealingAsJson(curve));
  for (const Outcome& outcome : report.outcomes) outcomes.push_back(OutcomeAsJson(outcome));
  for (const Control& control : report.controls)
    controls.push_back({{"control", control.name}, {"attack", control.attack}, {"must_break", control.must_break},
                        {"broke", control.broke}, {"detail", control.detail}, {"passed", control.passed()}});
  Json json = {{"seed", report.seed}, {"queries", report.queries}, {"least_adp", kLeastAdp},
               {"least_share", kLeastShare}, {"outcomes", outcomes}, {"controls", controls}, {"stealing", stealing},
               {"passed", report.passed()}, {"complete", report.complete}, {"seconds", report.seconds}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace soter::audit
