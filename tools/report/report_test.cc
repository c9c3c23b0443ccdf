#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tools/report/canvas.h"
#include "tools/report/csv.h"
#include "tools/report/page.h"

namespace soter::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Escape, WritesTheFiveCharactersAsReferences) {
  EXPECT_EQ(Escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
}

TEST(Escape, KeepsUtf8AndReplacesWhatXmlForbids) {
  EXPECT_EQ(Escape("\u00b5 \u2026 \U0001F600"), "\u00b5 \u2026 \U0001F600");
  for (const char* bad : {"\x01", "\xff", "\xc0", "\xc3", "\x7f\xed\xa0\x80"})
    EXPECT_THAT(Escape(bad), HasSubstr("\uFFFD")) << bad;
  EXPECT_EQ(Escape(std::string("a\0b", 3)), "a\uFFFDb");
  EXPECT_EQ(Escape("\xe0\x80\x80"), "\uFFFD\uFFFD\uFFFD");  // longer than it has to be
}

TEST(Number, IsShortAndNeverMinusZero) {
  EXPECT_EQ(Number(1), "1");
  EXPECT_EQ(Number(1.256), "1.26");
  EXPECT_EQ(Number(-0.001), "0");
  EXPECT_EQ(Number(100), "100");
}

TEST(Markup, ClosesElementsInOrder) {
  Markup markup;
  markup.Open("a", {{"b", "<\">"}});
  markup.Line("c", "&");
  markup.Close();
  EXPECT_EQ(std::move(markup).Take(), "<a b=\"&lt;&quot;&gt;\"><c>&amp;</c>\n</a>\n");
}

TEST(MarkupDeathTest, WhatIsNotClosedIsNotTaken) {
  Markup markup;
  markup.Open("a");
  EXPECT_DEATH((void)std::move(markup).Take(), "not closed");
}

TEST(Csv, QuotesAndDisarmsFormulas) {
  Csv csv({"a", "b"});
  csv.Add("x,\"y\"").Add(0.1).EndRow();
  csv.Add("=SUM(A1)").Add(std::nan("")).EndRow();
  csv.Add("").Add(int64_t{-3}).EndRow();
  EXPECT_EQ(csv.text(), "a,b\n\"x,\"\"y\"\"\",0.1\n'=SUM(A1),\n,-3\n");
}

TEST(CsvDeathTest, ARowHasOneCellForEachColumn) {
  Csv csv({"a", "b"});
  csv.Add("x");
  EXPECT_DEATH(csv.EndRow(), "one cell for each column");
}

TEST(Ticks, AreRoundAndCoverTheData) {
  Ticks ticks = MakeTicks({}, {0.3, 97});
  EXPECT_EQ(ticks.values, (std::vector<double>{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(ticks.from, 0);
  EXPECT_EQ(ticks.to, 100);
}

TEST(Ticks, LogarithmicOnesAreOneTwoFive) {
  Ticks ticks = MakeTicks({.scale = Scale::kLog}, {3, 40});
  EXPECT_THAT(ticks.values, testing::Pointwise(testing::DoubleNear(1e-9), std::vector<double>{2, 5, 10, 20, 50}));
}

TEST(Ticks, OneValueOrNoneStillMakesAnAxis) {
  for (Scale scale : {Scale::kLinear, Scale::kLog})
    for (Extent extent : {Extent{}, Extent{5, 5}, Extent{1e-300, 1e300}}) {
      Ticks ticks = MakeTicks({.scale = scale}, extent);
      EXPECT_LT(ticks.from, ticks.to);
      EXPECT_GE(ticks.values.size(), 2u);
      EXPECT_LE(ticks.values.size(), 1000u);
    }
}

TEST(Extent, LeavesOutWhatItsScaleCannotShow) {
  Extent extent;
  for (double value : {-1.0, 0.0, std::nan(""), std::numeric_limits<double>::infinity()}) extent.Add(value, Scale::kLog);
  EXPECT_TRUE(extent.empty());
  extent.Add(-1, Scale::kLinear);
  EXPECT_FALSE(extent.empty());
}

TEST(Plot, HasATitleForThoseWhoDoNotSeeIt) {
  LinePlot plot;
  plot.title = "t";
  plot.series = {{"s", {{0, 1}, {1, 2}}}};
  std::string markup = Draw(plot).markup();
  EXPECT_THAT(markup, HasSubstr("<path"));
  EXPECT_THAT(markup, Not(HasSubstr("nan")));
  EXPECT_THAT(markup, HasSubstr("role=\"img\""));
  EXPECT_THAT(markup, HasSubstr("<title>t</title>"));
}

TEST(Plot, WithoutDataSaysSo) {
  LinePlot lines;
  BarPlot bars;
  bars.groups = {"g"};
  bars.series = {{"s", {std::nullopt}}};
  Histogram histogram;
  histogram.samples = {{"s", {}}};
  for (const Svg& plot : {Draw(lines), Draw(bars), Draw(histogram)}) EXPECT_THAT(plot.markup(), HasSubstr("no data"));
}

TEST(Plot, ShowsValuesAndErrorBars) {
  BarPlot plot;
  plot.groups = {"g"};
  plot.series = {{"s", {Bar{3.25, Range{3, 4}}}}};
  std::string markup = Draw(plot).markup();
  EXPECT_THAT(markup, HasSubstr(">3.25<"));
  EXPECT_THAT(markup, HasSubstr("g, s: 3.25"));
}

TEST(Plot, AHistogramTakesTheSameValueManyTimes) {
  Histogram plot;
  plot.samples = {{"s", std::vector<double>(50, 2.0)}};
  EXPECT_THAT(Draw(plot).markup(), HasSubstr("outline"));
}

TEST(Page, FetchesNothingAndRunsNothing) {
  Page page("<b>");
  page.Paragraph("<script>");
  page.Note("n");
  std::string html = page.Html();
  EXPECT_THAT(html, HasSubstr("default-src &#39;none&#39;"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("src=\"")));
  EXPECT_THAT(html, HasSubstr("<title>&lt;b&gt;</title>"));
}

TEST(Page, ARowMayBeShort) {
  Page page("t");
  page.Add({.columns = {{"a"}, {"b", true}}, .rows = {{"x"}}});
  EXPECT_THAT(page.Html(), HasSubstr("<td class=\"n\"></td>"));
}

}  // namespace
}  // namespace soter::report
