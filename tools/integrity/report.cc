#include "tools/integrity/report.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tools/report/page.h"

namespace soter::integrity {
namespace {

using nlohmann::json;
using report::Column;
using report::DataTable;

std::string Number(double value, const char* format = "%.3g") {
  char text[48];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

std::string Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? "" : Number(100.0 * static_cast<double>(part) / static_cast<double>(whole), "%.1f%%");
}

Status WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return InvalidArgument("cannot write " + path.string());
  return {};
}

double PercentOf(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

json ToJson(const Campaign& campaign) {
  json all;
  for (const CostRow& r : campaign.cost)
    all["cost"].push_back({{"model", r.model}, {"scheme", r.scheme}, {"trusted_ms", r.trusted_ms}, {"switch_ms", r.switch_ms},
                           {"check_ms", r.check_ms}, {"mlcapsule_ms", r.mlcapsule_ms}, {"checks", r.checks},
                           {"bytes_crossed", r.crossed}, {"check_percent", PercentOf(r.check_ms, r.mlcapsule_ms)}});
  for (const OperatorRow& r : campaign.operators)
    all["operators"].push_back({{"model", r.model}, {"operator", r.operator_name}, {"count", r.count}, {"bytes", r.bytes},
                                {"check_ms", r.check_ms}, {"read_ms", r.read_ms}});
  for (const DetectionRow& r : campaign.detection)
    all["detection"].push_back({{"operator", r.operator_name}, {"attack", r.attack}, {"size", r.size}, {"runs", r.runs},
                                {"caught", r.caught}, {"bound", r.bound}});
  for (const BugRow& r : campaign.bugs)
    all["bugs"].push_back({{"model", r.model}, {"bug", r.bug}, {"scheme", r.scheme}, {"check", r.check},
                           {"runs", r.runs}, {"changed", r.changed}, {"caught", r.caught}});
  for (const HonestRow& r : campaign.honest)
    all["honest_networks"].push_back({{"model", r.model}, {"inputs", r.inputs}, {"queries", r.queries}, {"alarms", r.alarms}});
  for (const SensitivityRow& r : campaign.sensitivity)
    all["sensitivity"].push_back({{"model", r.model}, {"operators", r.operators}, {"effects", r.effects},
                                  {"median_of_rms", r.median_of_rms}, {"largest_of_rms", r.largest_of_rms},
                                  {"largest_of_largest", r.largest_of_largest}, {"largest_of_margin", r.largest_of_margin}});
  for (const TimingSample& s : campaign.timing) all["timing"].push_back({{"wrong", s.wrong}, {"ms", s.ms}});
  for (const FalseAlarmRow& r : campaign.false_alarms)
    all["false_alarms"].push_back({{"family", r.family}, {"inputs", r.inputs}, {"columns", r.columns}, {"alarms", r.alarms},
                                   {"largest", r.largest}, {"factor", r.factor}});
  for (const SpanRow& r : campaign.span)
    all["span_attack"].push_back({{"model", r.model}, {"check", r.check}, {"queries", r.queries}, {"first_wrong", r.first_wrong},
                                  {"wrong_accepted", r.wrong_accepted}, {"detected", r.detected},
                                  {"found_after", r.found_after}, {"dimension", r.dimension}});
  for (const DistanceSample& r : campaign.distances) {
    KsTest oblivious = KolmogorovSmirnov(r.real, r.oblivious), fixed = KolmogorovSmirnov(r.real, r.fixed);
    all["distances"].push_back({{"operator", r.operator_name}, {"real", r.real}, {"oblivious", r.oblivious}, {"fixed", r.fixed},
                                {"ks_oblivious", {{"d", oblivious.statistic}, {"p", oblivious.p_value}}},
                                {"ks_fixed", {{"d", fixed.statistic}, {"p", fixed.p_value}}}});
  }
  all["interrupted"] = campaign.interrupted;
  all["probes"] = 2;
  return all;
}

void AddCost(const Campaign& campaign, report::Page& page) {
  if (campaign.cost.empty()) return;
  page.Heading("What checks cost");
  page.Note("The accelerator computes in the same process and has finished before the enclave takes anything in, so these are "
            "the enclave's own times, not latencies. The development TEE is a plain process. Two probes.");
  DataTable table{"Median milliseconds of an inference", {{"network"}, {"scheme, check"}, {"mlcapsule", true}, {"check", true},
                  {"check, % of mlcapsule", true}, {"take-in and sending", true}, {"computed in the enclave", true},
                  {"results checked", true}, {"MB crossed", true}}, {}};
  for (const CostRow& r : campaign.cost)
    table.rows.push_back({r.model, r.scheme, Number(r.mlcapsule_ms, "%.1f"), Number(r.check_ms, "%.2f"),
                          Number(PercentOf(r.check_ms, r.mlcapsule_ms), "%.1f"), Number(r.switch_ms, "%.2f"),
                          Number(r.trusted_ms, "%.1f"), std::to_string(r.checks), Number(double(r.crossed) / 1e6, "%.1f")});
  page.Add(table);
}

double GigabytesPerSecond(uint64_t bytes, double ms) { return ms > 0 ? double(bytes) / ms * 1e-6 : 0; }

void AddOperators(const Campaign& campaign, report::Page& page) {
  if (campaign.operators.empty()) return;
  page.Heading("How far checks are from the memory bound");
  page.Note("Each operator's check by itself, beside reading its input and its result once; in turns, so that each finds the "
            "caches as the others leave them. Sums over all operators of one shape.");
  DataTable table{"", {{"network"}, {"operator"}, {"number", true}, {"MB", true}, {"check, ms", true}, {"check, GB/s", true},
                       {"read, GB/s", true}}, {}};
  std::map<std::string, OperatorRow> sums;
  for (const OperatorRow& r : campaign.operators) {
    OperatorRow& sum = sums[r.model];
    sum.model = r.model, sum.operator_name = "all", sum.count += r.count, sum.bytes += r.bytes;
    sum.check_ms += r.check_ms, sum.read_ms += r.read_ms;
  }
  auto add = [&](const OperatorRow& r) {
    table.rows.push_back({r.model, r.operator_name, std::to_string(r.count), Number(double(r.bytes) / 1e6, "%.2f"),
                          Number(r.check_ms, "%.3f"), Number(GigabytesPerSecond(r.bytes, r.check_ms), "%.1f"),
                          Number(GigabytesPerSecond(r.bytes, r.read_ms), "%.1f")});
  };
  for (const auto& [model, sum] : sums) add(sum);
  for (const OperatorRow& r : campaign.operators) add(r);
  page.Add(table);
}

// One plot for each operator: share caught against size, and the bound.
std::vector<std::pair<std::string, report::Svg>> DrawDetection(const Campaign& campaign) {
  std::vector<std::string> names;
  for (const DetectionRow& r : campaign.detection)
    if (std::find(names.begin(), names.end(), r.operator_name) == names.end()) names.push_back(r.operator_name);
  std::vector<std::pair<std::string, report::Svg>> plots;
  for (const std::string& name : names) {
    report::LinePlot plot{.title = name,
                          .description = "Share of tampered results that were caught against the size of the tampering",
                          .x = {.label = "largest error of a column / its tolerance", .scale = report::Scale::kLog},
                          .y = {.label = "caught", .from = 0.0, .to = 1.0}};
    std::map<std::string, report::Series> series;
    report::Series bound{.name = "bound"};
    for (const DetectionRow& r : campaign.detection) {
      if (r.operator_name != name || r.runs == 0) continue;
      series[r.attack].name = r.attack;
      series[r.attack].points.push_back({r.size, double(r.caught) / double(r.runs)});
      if (series.size() == 1) bound.points.push_back({r.size, r.bound});
    }
    plot.series.push_back(bound);
    for (auto& [attack, points] : series) plot.series.push_back(points);
    plots.emplace_back(name, report::Draw(plot));
  }
  return plots;
}

void AddDetection(const Campaign& campaign, const std::vector<std::pair<std::string, report::Svg>>& plots, report::Page& page) {
  if (campaign.detection.empty()) return;
  page.Heading("What Freivalds' check catches");
  page.Paragraph("Fresh probes for each run. A tampering below the tolerance passes by construction: it is of the size of "
                 "honest rounding errors. The bound is 1 - (0.8 tau / |e|)^2 for the column that is most wrong.");
  for (const auto& [name, svg] : plots) page.Figure(svg, name);
  DataTable table{"Caught, by size",
                  {{"operator"}, {"attack"}, {"size", true}, {"runs", true}, {"caught", true}, {"bound", true}}, {}};
  for (const DetectionRow& r : campaign.detection)
    table.rows.push_back({r.operator_name, r.attack, Number(r.size), std::to_string(r.runs), Share(r.caught, r.runs),
                          Number(100 * r.bound, "%.1f%%")});
  page.Add(table);
}

void AddBugs(const Campaign& campaign, report::Page& page) {
  if (campaign.bugs.empty()) return;
  page.Heading("The hostile worker's lies in whole networks");
  DataTable table{"theta 1; without a check, verified is insecure",
                  {{"network"}, {"scheme"}, {"lie"}, {"check"}, {"runs", true}, {"answer changed", true}, {"caught", true}}, {}};
  for (const BugRow& r : campaign.bugs)
    table.rows.push_back({r.model, r.scheme, r.bug, r.check, std::to_string(r.runs),
                          r.check == "none" ? Share(r.changed, r.runs) : "", Share(r.caught, r.runs)});
  page.Add(table);
}

void AddHonest(const Campaign& campaign, report::Page& page) {
  if (campaign.honest.empty()) return;
  page.Heading("Whole networks, honest accelerator");
  DataTable table{"verified", {{"network"}, {"inputs"}, {"queries", true}, {"false alarms", true}}, {}};
  for (const HonestRow& r : campaign.honest)
    table.rows.push_back({r.model, r.inputs, std::to_string(r.queries), std::to_string(r.alarms)});
  page.Add(table);
}

void AddSensitivity(const Campaign& campaign, report::Page& page) {
  if (campaign.sensitivity.empty()) return;
  page.Heading("The smallest change of one element that is caught with 99%");
  page.Paragraph("Eight tolerances of the median column. The effect is that of a quarter of a tolerance, which passes, scaled.");
  DataTable table{"verified; random weights, Gaussian input",
                  {{"network"}, {"operators", true}, {"/ rms of result, median", true}, {"worst operator", true},
                   {"/ largest element, worst", true}, {"effect / margin of classes, worst", true}}, {}};
  for (const SensitivityRow& r : campaign.sensitivity)
    table.rows.push_back({r.model, std::to_string(r.operators), Number(r.median_of_rms), Number(r.largest_of_rms),
                          Number(r.largest_of_largest), Number(r.largest_of_margin)});
  page.Add(table);
}

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

void AddTiming(const Campaign& campaign, report::Page& page) {
  if (campaign.timing.empty()) return;
  page.Heading("Does time tell which operator was wrong?");
  DataTable table{"Kolmogorov-Smirnov against the first operator; 'first, again' says what the same looks like",
                  {{"wrong operator"}, {"runs", true}, {"median, ms", true}, {"D", true}, {"p", true}}, {}};
  for (const TimingSample& s : campaign.timing) {
    KsTest test = KolmogorovSmirnov(campaign.timing[0].ms, s.ms);
    table.rows.push_back({s.wrong, std::to_string(s.ms.size()), Number(MedianOf(s.ms), "%.3f"), Number(test.statistic, "%.3f"),
                          Number(test.p_value)});
  }
  page.Add(table);
}

void AddFalseAlarms(const Campaign& campaign, report::Page& page) {
  if (campaign.false_alarms.empty()) return;
  page.Heading("Honest results");
  DataTable table{"Three probes a column; each row has data of its own",
                  {{"family"}, {"inputs"}, {"columns", true}, {"false alarms", true}, {"largest residual", true},
                   {"constant", true}, {"margin", true}}, {}};
  for (const FalseAlarmRow& r : campaign.false_alarms)
    table.rows.push_back({r.family, r.inputs, std::to_string(r.columns), std::to_string(r.alarms), Number(r.largest, "%.2f"),
                          Number(r.factor, "%.1f"), Number(r.factor / r.largest, "%.2f")});
  page.Add(table);
}

void AddSpan(const Campaign& campaign, report::Page& page) {
  if (campaign.span.empty()) return;
  page.Heading("The attack on the cornerstones' span");
  page.Paragraph("A worker collects the rows that it is given, finds what two sets of them have in common (arXiv 2602.11088), "
                 "answers what lies in that span honestly and tampers with the rest. Freivalds' check has nothing of the kind.");
  DataTable table{"", {{"network"}, {"check"}, {"queries", true}, {"span known after", true}, {"its dimension", true},
                       {"first wrong answer accepted", true}, {"wrong answers accepted", true}, {"queries refused", true}}, {}};
  for (const SpanRow& r : campaign.span)
    table.rows.push_back({r.model, r.check, std::to_string(r.queries), r.found_after ? std::to_string(r.found_after) : "never",
                          std::to_string(r.dimension), r.first_wrong ? std::to_string(r.first_wrong) : "none",
                          std::to_string(r.wrong_accepted), std::to_string(r.detected)});
  page.Add(table);
}

report::Svg DrawDistances(const DistanceSample& sample) {
  return report::Draw(report::Histogram{.title = sample.operator_name,
                                        .description = "Distances between pairs of inputs as the accelerator sees them",
                                        .x = {.label = "L2 distance"},
                                        .samples = {{"real inputs", sample.real}, {"oblivious fingerprints", sample.oblivious},
                                                    {"fixed fingerprints", sample.fixed}}});
}

void AddDistances(const Campaign& campaign, report::Page& page) {
  if (campaign.distances.empty()) return;
  page.Heading("Do fingerprints look like inputs?");
  page.Paragraph("L2 distances between pairs of rows of one kind (figure 3 of the paper's talk), and the Kolmogorov-Smirnov test "
                 "against the distances of real inputs: a small p tells the two apart.");
  DataTable table{"", {{"operator"}, {"pairs", true}, {"oblivious: D", true}, {"p", true}, {"fixed: D", true}, {"p", true}}, {}};
  for (const DistanceSample& sample : campaign.distances) {
    KsTest oblivious = KolmogorovSmirnov(sample.real, sample.oblivious), fixed = KolmogorovSmirnov(sample.real, sample.fixed);
    table.rows.push_back({sample.operator_name, std::to_string(sample.real.size()), Number(oblivious.statistic, "%.2f"),
                          Number(oblivious.p_value), Number(fixed.statistic, "%.2f"), Number(fixed.p_value)});
    page.Figure(DrawDistances(sample), sample.operator_name);
  }
  page.Add(table);
}

}  // namespace

Status WriteReport(const CampaignOptions& options, const Campaign& campaign) {
  std::filesystem::path directory(options.report);
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return InvalidArgument("cannot make " + options.report + ": " + failed.message());
  report::Page page("Integrity: what checks cost and what they catch");
  if (campaign.interrupted) page.Note("This campaign was interrupted: what stands here was measured, the rest is missing.");
  auto plots = DrawDetection(campaign);
  AddCost(campaign, page), AddOperators(campaign, page), AddDetection(campaign, plots, page), AddBugs(campaign, page);
  AddFalseAlarms(campaign, page), AddHonest(campaign, page), AddSensitivity(campaign, page), AddTiming(campaign, page);
  AddSpan(campaign, page), AddDistances(campaign, page);
  for (size_t i = 0; i < plots.size(); ++i)
    TRY(WriteFile(directory / ("detection-" + std::to_string(i + 1) + ".svg"), plots[i].second.File()));
  for (size_t i = 0; i < campaign.distances.size(); ++i)
    TRY(WriteFile(directory / ("distances-" + std::to_string(i + 1) + ".svg"), DrawDistances(campaign.distances[i]).File()));
  TRY(WriteFile(directory / "integrity.json", ToJson(campaign).dump(1) + "\n"));
  return WriteFile(directory / "integrity.html", page.Html());
}

}  // namespace soter::integrity
