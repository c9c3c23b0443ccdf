#include "tools/report/page.h"

namespace soter::report {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#1a1a1a;--soft:#595959;--line:#d4d4d4;--paper:#ffffff;--note:#f3f6fa;--link:#0072b2}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#ececec;--soft:#b0b0b0;--line:#444444;--paper:#161616;"
    "--note:#1f2730;--link:#4aa8e0}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}\n"
    "h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid var(--line)}\n"
    "a{color:var(--link)}nav ul{columns:2;padding-left:1.2rem}figure{margin:1.5rem 0}\n"
    "figcaption,caption{color:var(--soft);font-size:.9rem;text-align:left;padding:.3rem 0}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:1rem 0}\n"
    "th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}\n"
    "th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".note{background:var(--note);border-left:4px solid var(--link);padding:.6rem 1rem}\n";

constexpr std::string_view kPolicy = "default-src 'none'; style-src 'unsafe-inline'";

std::string Id(size_t heading) { return "part-" + std::to_string(heading + 1); }

}  // namespace

void Page::Heading(const std::string& text) {
  body_.Line("h2", text, {{"id", Id(headings_.size())}});
  headings_.push_back(text);
}

void Page::Paragraph(const std::string& text) { body_.Line("p", text); }

void Page::Note(const std::string& text) { body_.Line("p", text, {{"class", "note"}, {"role", "note"}}); }

void Page::Add(const DataTable& table) {
  body_.Open("div", {{"class", "wide"}});
  body_.Open("table");
  if (!table.caption.empty()) body_.Line("caption", table.caption);
  body_.Open("thead");
  body_.Open("tr");
  for (const Column& column : table.columns)
    body_.Line("th", column.title, {{"scope", "col"}, {"class", column.is_number ? "n" : "t"}});
  body_.Close();
  body_.Close();
  body_.Open("tbody");
  for (const std::vector<std::string>& row : table.rows) {
    body_.Open("tr");
    for (size_t i = 0; i < table.columns.size(); ++i)
      body_.Line("td", i < row.size() ? row[i] : "", {{"class", table.columns[i].is_number ? "n" : "t"}});
    body_.Close();
  }
  for (int i = 0; i < 3; ++i) body_.Close();
}

void Page::Figure(const Svg& plot, const std::string& caption) {
  body_.Open("figure");
  body_.Raw(plot.markup());
  body_.Line("figcaption", caption);
  body_.Close();
}

std::string Page::Html() const {
  Markup html;
  html.Raw("<!DOCTYPE html>\n");
  html.Open("html", {{"xmlns", "http://www.w3.org/1999/xhtml"}, {"lang", "en"}});
  html.Open("head");
  html.Empty("meta", {{"charset", "utf-8"}});
  html.Empty("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", std::string(kPolicy)}});
  html.Empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.Line("title", title_);
  html.Open("style");
  html.Raw(kStyle);
  html.Close();
  html.Close();
  html.Open("body");
  html.Line("h1", title_);
  if (headings_.size() > 1) {
    html.Open("nav", {{"aria-label", "contents"}});
    html.Open("ul");
    for (size_t i = 0; i < headings_.size(); ++i) {
      html.Open("li");
      html.Line("a", headings_[i], {{"href", "#" + Id(i)}});
      html.Close();
    }
    html.Close();
    html.Close();
  }
  html.Open("main");
  Markup body = body_;
  html.Raw(std::move(body).Take());
  for (int i = 0; i < 3; ++i) html.Close();
  return std::move(html).Take();
}

}  // namespace soter::report
