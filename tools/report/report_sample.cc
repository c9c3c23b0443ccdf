// report_sample DIR: writes a page, a plot of each kind and a table with everything that a report can hold, and with
// names that would break a page which does not escape them.

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "tools/report/csv.h"
#include "tools/report/page.h"

namespace soter::report {
namespace {

const std::string kNasty = "<script>alert(\"1\")</script> & 'quotes' ]]> \x01\xff \u00b5s";

LinePlot SampleLines() {
  LinePlot plot{.title = "Latency against theta " + kNasty, .description = "Two lines and a scatter; " + kNasty,
                .x = {.label = "theta"}, .y = {.label = "latency, ms", .scale = Scale::kLog}, .reference = 10};
  for (int s = 0; s < 3; ++s) {
    Series series{.name = s == 0 ? kNasty : "series " + std::to_string(s), .joined = s != 2};
    for (int i = 0; i <= 5; ++i) {
      double y = (s + 1) * 20.0 / (i + 1);
      series.points.push_back({i * 0.2, y, Range{y * 0.8, y * 1.3}});
    }
    plot.series.push_back(series);
  }
  plot.series[1].points.push_back({std::nan(""), 3});
  plot.series[1].points.push_back({0.5, -1});
  return plot;
}

BarPlot SampleBars() {
  return {.title = "Normalised latency", .description = "Two schemes on three networks", .y = {.label = "times insecure"},
          .groups = {"mlp", kNasty, "vgg19"},
          .series = {{"soter", {Bar{2.2, Range{2, 2.5}}, Bar{3.2}, std::nullopt}}, {kNasty, {Bar{2.7}, Bar{13.8}, Bar{-1.5}}}},
          .reference = 1};
}

Histogram SampleHistogram() {
  Histogram plot{.title = "Distances", .description = kNasty, .x = {.label = "L2 distance"}};
  for (int s = 0; s < 2; ++s) {
    Sample sample{.name = s == 0 ? "real inputs" : "fingerprints"};
    for (int i = 0; i < 500; ++i) sample.values.push_back(s + std::sin(i * 12.9898) + std::sin(i * 78.233));
    plot.samples.push_back(sample);
  }
  return plot;
}

int Write(const std::string& directory) {
  Page page("A report of " + kNasty);
  page.Heading("Figures " + kNasty);
  page.Paragraph(kNasty);
  page.Note("modelled figures never stand beside measured ones " + kNasty);
  Svg plots[] = {Draw(SampleLines()), Draw(SampleBars()), Draw(SampleHistogram()), Draw(LinePlot{.title = "empty"})};
  for (const Svg& plot : plots) page.Figure(plot, kNasty);
  page.Heading("Tables");
  page.Add({.caption = kNasty, .columns = {{kNasty}, {"ms", true}}, .rows = {{kNasty, "1.5"}, {"short row"}}});
  Csv csv({"name", "value", "count"});
  csv.Add(kNasty).Add(0.1).Add(int64_t{3}).EndRow();
  csv.Add("=1+1").Add(std::nan("")).Add(int64_t{-4}).EndRow();
  csv.Add("a, \"b\"\nc").Add(1e-9).Add(int64_t{0}).EndRow();
  auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream file(directory + "/" + name, std::ios::binary);
    file << text;
    return file.good();
  };
  bool written = write("page.html", page.Html()) && write("table.csv", csv.text());
  for (int i = 0; i < 4; ++i) written = written && write("plot" + std::to_string(i) + ".svg", plots[i].File());
  return written ? 0 : 1;
}

}  // namespace
}  // namespace soter::report

int main(int argc, char** argv) {
  if (argc == 2) return soter::report::Write(argv[1]);
  std::fputs("usage: report_sample DIR\n", stderr);
  return 2;
}
