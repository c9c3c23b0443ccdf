#include "tools/bench/page.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "tools/bench/paper.h"
#include "tools/cli/text.h"
#include "tools/report/page.h"

namespace soter::bench {

namespace {

using report::Column;
using report::DataTable;

std::string Place(const Configuration& c) {
  std::string text = c.model;
  if (c.batch != 1) text += ", batch " + std::to_string(c.batch);
  if (c.input_size != 0) text += ", size " + std::to_string(c.input_size);
  return text;
}

std::string Ms(double ms) { return FormatFixed(ms, ms < 10 ? 2 : 1); }
std::string Maybe(std::optional<double> value) { return value ? Ms(*value) : "\u2013"; }

class ReportPage {
 public:
  ReportPage(const Results& results, const std::vector<Claim>& claims)
      : results_(results), claims_(claims), kind_(results.modelled() ? "modelled" : "measured"),
        page_("soter bench: " + std::string(results.modelled() ? "MODELLED accelerator, " + results.accelerator_model
                                                               : "schemes compared")) {}

  std::string Html() {
    AddProtocol();
    AddFigureOne();
    AddLatencies();
    AddBreakdown("soter", "Table 3: SOTER");
    AddBreakdown("aegisdnn", "Table 4: AegisDNN");
    AddSameSet();
    if (results_.modelled()) AddBounds();
    AddTrend("Latency against theta", "theta", &Configuration::theta);
    AddTrend("Latency against the input's size", "edge length", &Configuration::input_size);
    AddTrend("Latency against the batch", "batch", &Configuration::batch);
    AddCounts();
    AddPredictions();
    AddSkipped();
    AddClaims();
    return page_.Html();
  }

 private:
  std::string Caption(const std::string& text) const { return text + " (" + kind_ + ", ms unless it says otherwise)"; }

  void AddProtocol() {
    page_.Heading("What was " + kind_ + ", and how");
    const Protocol& p = results_.protocol;
    page_.Paragraph("Machine: " + results_.machine + ". Accelerator: " + (results_.backend.empty() ? "none" : results_.backend) +
                    " (" + results_.device + "). Date: " + results_.date + ". Version: soter " + results_.version + ".");
    page_.Paragraph("Each configuration was loaded anew in each of " + std::to_string(p.rounds) + " rounds, in turns with others "
                    "of its network, so that a drift of the machine meets all alike; " + std::to_string(p.warm_up) +
                    " inferences to warm up, then " + std::to_string(p.repeat) + " that count; " + std::to_string(p.threads) +
                    " threads a side, the accelerator in " + p.precision + Dims() + ". Latencies are medians with p10 and p90 "
                    "over all repeats; ratios are taken within a round.");
    if (results_.tee == "dev")
      page_.Note("Development TEE: the enclave was a plain process. A real TEE adds its own costs of memory and transitions; "
                 "they are not in these figures.");
    if (results_.modelled())
      page_.Note("MODELLED: the accelerator's answers are correct, and come when an accelerator of the speed " +
                 results_.accelerator_model + " would give them. No such accelerator was measured.");
    else if (results_.backend == "cpu")
      page_.Note("The accelerator was this machine's own processor, the same cores that the enclave computes on. These figures "
                 "show what protection costs; they cannot show what a faster accelerator gains.");
    if (!results_.complete) page_.Note("Interrupted: this page holds what was done until then.");
  }

  std::string Dims() const {
    std::string text;
    for (const std::string& dim : results_.protocol.dims) text += ", " + dim;
    return text;
  }

  // The configurations that differ in scheme alone, by place.
  std::vector<std::string> Labels() const {
    std::vector<std::string> labels;
    for (const Measurement& m : results_.measurements)
      if (std::find(labels.begin(), labels.end(), Label(m.configuration)) == labels.end()) labels.push_back(Label(m.configuration));
    return labels;
  }

  std::vector<std::string> Places() const {
    std::vector<std::string> places;
    for (const Measurement& m : results_.measurements)
      if (std::find(places.begin(), places.end(), Place(m.configuration)) == places.end()) places.push_back(Place(m.configuration));
    return places;
  }

  std::optional<Ratio> OfInsecure(const Measurement& m) const {
    return RatioOf(&m, Counterpart(results_, m.configuration, "insecure"));
  }

  void AddFigureOne() {
    page_.Heading("Figure 1: latency by that of insecure inference on the accelerator");
    report::BarPlot plot;
    plot.title = "Latency, normalised to insecure accelerator inference" + Suffix();
    plot.description = "One group of bars for each network, one bar for each scheme";
    plot.y.label = "times insecure";
    plot.groups = Places();
    plot.reference = 1;
    DataTable table{.caption = Caption("As a table, times insecure, beside the paper's figure 1"),
                    .columns = {{"network"}, {"scheme"}, {"here", true}, {"least to greatest round", true}, {"paper", true}}};
    for (const std::string& label : Labels()) {
      report::BarSeries series{label, std::vector<std::optional<report::Bar>>(plot.groups.size())};
      for (const Measurement& m : results_.measurements) {
        std::optional<Ratio> ratio = OfInsecure(m);
        if (Label(m.configuration) != label || !ratio) continue;
        auto found = std::find(plot.groups.begin(), plot.groups.end(), Place(m.configuration));
        auto group = static_cast<size_t>(found - plot.groups.begin());
        series.bars[group] = report::Bar{ratio->median, report::Range{ratio->low, ratio->high}};
        table.rows.push_back({plot.groups[group], label, FormatFixed(ratio->median, 2),
                              FormatFixed(ratio->low, 2) + " to " + FormatFixed(ratio->high, 2),
                              Maybe(PaperNormalised(m.configuration.scheme, m.configuration.model))});
      }
      // A bar of 1 says nothing, and aegisdnn with a set that it did not choose has a table of its own.
      bool drawn = !label.starts_with("insecure") && label.find(kSameSet) == std::string::npos;
      if (drawn) plot.series.push_back(std::move(series));
    }
    page_.Figure(report::Draw(plot), "Bars: median over rounds; lines: least and greatest round; dotted: insecure. " + kind_ + ".");
    page_.Add(table);
  }

  std::string Suffix() const { return results_.modelled() ? " (MODELLED, " + results_.accelerator_model + ")" : ""; }

  void AddLatencies() {
    page_.Heading("Latency");
    DataTable table{.caption = Caption("Latency of one inference"),
                    .columns = {{"network"}, {"scheme"}, {"median", true}, {"p10", true}, {"p90", true}, {"enclave", true},
                                {"accelerator", true}, {"switch", true}, {"check", true}, {"check share", true}}};
    for (const Measurement& m : results_.measurements) {
      std::optional<Summary> s = Summarise(m);
      if (!s) continue;
      table.rows.push_back({Place(m.configuration), Label(m.configuration), Ms(s->median), Ms(s->p10), Ms(s->p90),
                            Ms(s->parts.trusted), Ms(s->parts.accelerator), Ms(s->parts.switching), Ms(s->parts.check),
                            FormatFixed(100 * s->parts.check / std::max(s->median, 1e-9), 1) + "%"});
    }
    page_.Add(table);
  }

  void AddBreakdown(const std::string& scheme, const std::string& title) {
    DataTable table{.caption = Caption("P1 to P4 here, and in the paper (Xeon E3-1280 v6 with SGX, RTX 2080 Ti)"),
                    .columns = {{"network"}, {"scheme"}, {"P1 enclave", true}, {"P2 accelerator", true}, {"P3 switch", true},
                                {"P4 check", true}, {"end to end", true}}};
    for (const Measurement& m : results_.measurements) {
      std::optional<Summary> s = Summarise(m);
      if (m.configuration.scheme != scheme || !s) continue;
      table.rows.push_back({Place(m.configuration), Label(m.configuration), Ms(s->parts.trusted), Ms(s->parts.accelerator),
                            Ms(s->parts.switching), Ms(s->parts.check), Ms(s->median)});
      std::optional<PaperBreakdown> paper = PaperFor(scheme, m.configuration.model);
      if (!paper || m.configuration.batch != 1 || m.configuration.input_size != 0 || !m.configuration.variant.empty()) continue;
      table.rows.push_back({m.configuration.model, "the paper", Ms(paper->trusted), Ms(paper->accelerator), Ms(paper->switching),
                            Maybe(paper->check), Ms(paper->total)});
    }
    if (table.rows.empty()) return;
    page_.Heading(title + ", part by part");
    page_.Add(table);
  }

  void AddSameSet() {
    DataTable table{.caption = Caption("soter by aegisdnn, both with the layers in the enclave that soter drew"),
                    .columns = {{"network"}, {"soter"}, {"times aegisdnn", true}, {"least to greatest round", true},
                                {"paper", true}}};
    for (const Measurement& m : results_.measurements) {
      if (m.configuration.scheme != "soter") continue;
      std::optional<Ratio> ratio = RatioOf(&m, Counterpart(results_, m.configuration, "aegisdnn", kSameSet));
      if (!ratio) continue;
      std::optional<PaperBreakdown> soter = PaperFor("soter", m.configuration.model);
      std::optional<PaperBreakdown> aegis = PaperFor("aegisdnn", m.configuration.model);
      table.rows.push_back({Place(m.configuration), Label(m.configuration), FormatFixed(ratio->median, 3),
                            FormatFixed(ratio->low, 3) + " to " + FormatFixed(ratio->high, 3),
                            soter && aegis ? FormatFixed(soter->total / aegis->total, 2) : "\u2013"});
    }
    if (table.rows.empty()) return;
    page_.Heading("The same protected set");
    page_.Add(table);
  }

  std::vector<std::string> BoundRow(const Measurement& m, const Measurement& inside, size_t round, double times) const {
    bool known = round < m.shares.size();
    auto bound = [](double share, double speed) { return FormatFixed(SpeedupBound(share, speed), 2) + "x"; };
    std::string draws = "\u2013";
    if (m.draws && times > 0)
      draws = bound(m.draws->p10, times) + ", " + bound(m.draws->median, times) + ", " + bound(m.draws->p90, times);
    return {Place(m.configuration), Label(m.configuration), std::to_string(round + 1),
            FormatFixed(MedianOfRound(inside, round) / MedianOfRound(m, round), 2) + "x",
            known ? FormatFixed(100 * m.shares[round], 1) + "%" : "\u2013",
            known && times > 0 ? bound(m.shares[round], times) : "\u2013", known ? bound(m.shares[round], 0) : "\u2013", draws};
  }

  // Amdahl (1967), beside every modelled speed-up: each round of soter draws other operators.
  void AddBounds() {
    double times = results_.accelerator_model.ends_with('x') || results_.accelerator_model.find("x,") != std::string::npos
                       ? std::atof(results_.accelerator_model.c_str()) : 0;
    DataTable table{.caption = "How much faster than mlcapsule (modelled, by the enclave's own measured time), and Amdahl's bound",
                    .columns = {{"network"}, {"scheme"}, {"round", true}, {"modelled speed-up", true},
                                {"offloaded share of time", true}, {"bound at this speed", true}, {"bound at any speed", true},
                                {"bounds of 1000 draws: p10, median, p90", true}}};
    for (const Measurement& m : results_.measurements) {
      const Measurement* inside = Counterpart(results_, m.configuration, "mlcapsule");
      if (inside == nullptr || m.configuration.scheme == "mlcapsule") continue;
      for (size_t round = 0; round < std::min(m.rounds.size(), inside->rounds.size()); ++round)
        table.rows.push_back(BoundRow(m, *inside, round, times));
    }
    page_.Heading("Speed-up over mlcapsule, MODELLED, and Amdahl's bound");
    page_.Add(table);
  }

  template <typename Number>
  void AddTrend(const std::string& title, const std::string& name, Number Configuration::* number) {
    std::map<std::string, std::map<double, const Measurement*>> lines;
    for (const Measurement& m : results_.measurements) {
      if (!Summarise(m) || (results_.modelled() && m.configuration.scheme == "mlcapsule")) continue;
      Configuration same = m.configuration;
      same.*number = {};
      std::string without_theta = same.scheme + (same.variant.empty() ? "" : ", " + same.variant);
      std::string key = Place(same) + ", " + (HasTheta(same) && name == "theta" ? without_theta : Label(same));
      lines[key][static_cast<double>(m.configuration.*number)] = &m;
    }
    std::erase_if(lines, [](const auto& line) { return line.second.size() < 2; });
    if (lines.empty()) return;
    report::LinePlot plot{.title = title + Suffix(), .description = "One line for each network and scheme",
                          .x = {.label = name}, .y = {.label = "latency, ms", .scale = report::Scale::kLog}};
    DataTable table{.caption = Caption("As a table"), .columns = {{"network and scheme"}, {name, true}, {"median", true}}};
    for (const auto& [key, points] : lines) {
      report::Series series{.name = key};
      for (const auto& [x, m] : points) {
        Summary s = *Summarise(*m);
        series.points.push_back({x, s.median, report::Range{s.p10, s.p90}});
        table.rows.push_back({key, report::Number(x), Ms(s.median)});
      }
      plot.series.push_back(std::move(series));
    }
    page_.Heading(title);
    page_.Figure(report::Draw(plot), "Medians with p10 and p90. " + kind_ + ".");
    page_.Add(table);
  }

  void AddCounts() {
    page_.Heading("Multiply-adds, bytes and switches");
    DataTable table{.caption = "Per inference, counted", .columns = {{"network"}, {"scheme"}, {"multiply-adds", true},
                    {"offloaded", true}, {"linear operators offloaded", true}, {"sent", true}, {"received", true},
                    {"switches", true}}};
    for (const Measurement& m : results_.measurements) {
      const Counts& c = m.counts;
      if (m.rounds.empty()) continue;
      double share = c.mul_adds > 0 ? 100.0 * static_cast<double>(c.mul_adds_offloaded) / static_cast<double>(c.mul_adds) : 0;
      table.rows.push_back({Place(m.configuration), Label(m.configuration), FormatCount(c.mul_adds), FormatFixed(share, 1) + "%",
                            std::to_string(c.linear_offloaded) + " of " + std::to_string(c.linear_total), FormatBytes(c.bytes_sent),
                            FormatBytes(c.bytes_received), std::to_string(c.switches)});
    }
    page_.Add(table);
  }

  void AddPredictions() {
    double error = MedianPredictionError(results_);
    if (error < 0) return;
    page_.Heading("Predicted against " + kind_);
    page_.Paragraph("What the planner expected, from its profile in the same session before the first round. Median error: " +
                    FormatFixed(100 * error, 1) + "%.");
    DataTable table{.caption = Caption("Latency of the first round"), .columns = {{"network"}, {"scheme"}, {"predicted", true},
                    {kind_, true}, {"error", true}}};
    for (const Measurement& m : results_.measurements)
      if (m.expected_ms > 0 && m.predicted_round_ms > 0)
        table.rows.push_back({Place(m.configuration), Label(m.configuration), Ms(m.expected_ms), Ms(m.predicted_round_ms),
                              FormatFixed(100 * (m.expected_ms / m.predicted_round_ms - 1), 1) + "%"});
    page_.Add(table);
  }

  void AddSkipped() {
    DataTable table{.caption = "Not " + kind_, .columns = {{"network"}, {"scheme"}, {"why"}}};
    for (const Measurement& m : results_.measurements)
      if (!m.skipped.empty()) table.rows.push_back({Place(m.configuration), Label(m.configuration), m.skipped});
    if (table.rows.empty()) return;
    page_.Heading("What is missing");
    page_.Add(table);
  }

  void AddClaims() {
    page_.Heading("The paper's claims");
    DataTable table{.columns = {{"claim"}, {"it says"}, {"verdict"}, {"numbers"}}};
    for (const Claim& claim : claims_)
      table.rows.push_back({claim.id, claim.text, VerdictName(claim.verdict), claim.numbers});
    page_.Add(table);
  }

  const Results& results_;
  const std::vector<Claim>& claims_;
  std::string kind_;
  report::Page page_;
};

}  // namespace

std::string EncodeHtml(const Results& results, const std::vector<Claim>& claims) { return ReportPage(results, claims).Html(); }

double MedianPredictionError(const Results& results) {
  std::vector<double> errors;
  for (const Measurement& m : results.measurements)
    if (m.expected_ms > 0 && m.predicted_round_ms > 0) errors.push_back(std::abs(m.expected_ms / m.predicted_round_ms - 1));
  if (errors.empty()) return -1;
  std::sort(errors.begin(), errors.end());
  return errors[(errors.size() - 1) / 2];
}

double SpeedupBound(double share, double times) {
  double left = 1 - share + (times > 0 ? share / times : 0);
  return left > 0 ? 1 / left : HUGE_VAL;
}

}  // namespace soter::bench
