#include "tools/audit/kept.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace soter::audit {

// What is not listed here is lost when a campaign goes on.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Target, victim, scheme, check, theta, masked, share, linear_offloaded, linear_total)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LayerScore, name, guessed, adp, relative_error, r2)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Behaviour, accuracy, fidelity, membership)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Outcome, target, attack, source, sees, layers, findings, behaviour, error, measures_only,
                                   seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StealingCurve, victim, scheme, theta, share, start, labels, budget, accuracy, fidelity,
                                   membership, deployed, floor, above_floor)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Control, name, attack, must_break, broke, detail)

namespace {

namespace fs = std::filesystem;

}  // namespace

std::optional<Report> ReadPart(const fs::path& path, const std::string& conditions) {
  std::ifstream file(path);
  nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object() || json["conditions"] != conditions) return std::nullopt;
  try {
    Report part{.seconds = json.at("seconds").get<double>()};
    json.at("outcomes").get_to(part.outcomes);
    json.at("controls").get_to(part.controls);
    json.at("stealing").get_to(part.stealing);
    return part;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // of another version, or not ours: it is computed again
  }
}

Status WritePart(const fs::path& path, const std::string& conditions, const Report& part) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  fs::path unfinished = path.string() + ".part";
  nlohmann::json json = {{"conditions", conditions}, {"outcomes", part.outcomes}, {"controls", part.controls},
                         {"stealing", part.stealing}, {"seconds", part.seconds}};
  std::ofstream file(unfinished);
  file << json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  file.close();
  if (!file) return Unavailable("cannot write " + unfinished.string());
  fs::rename(unfinished, path, error);
  return error ? Unavailable("cannot write " + path.string() + ": " + error.message()) : Status();
}

void Append(Report part, Report& report) {
  std::ranges::move(part.outcomes, std::back_inserter(report.outcomes));
  std::ranges::move(part.controls, std::back_inserter(report.controls));
  std::ranges::move(part.stealing, std::back_inserter(report.stealing));
  report.seconds += part.seconds;
}

ReportSizes SizesOf(const Report& report) {
  return {report.outcomes.size(), report.controls.size(), report.stealing.size()};
}

Report Since(const Report& report, const ReportSizes& sizes) {
  auto from = [](const auto& list, size_t first) {
    return std::vector(list.begin() + static_cast<ptrdiff_t>(first), list.end());
  };
  return {.outcomes = from(report.outcomes, sizes.outcomes),
          .controls = from(report.controls, sizes.controls),
          .stealing = from(report.stealing, sizes.stealing)};
}

}  // namespace soter::audit
