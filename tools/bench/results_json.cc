#include "tools/bench/results_json.h"

#include <nlohmann/json.hpp>

#include "tools/report/csv.h"

namespace soter::bench {

namespace {

using Json = nlohmann::ordered_json;

Json LatencyJson(const control::Latency& latency) {
  return {{"trusted", latency.trusted}, {"accelerator", latency.accelerator}, {"switch", latency.switching},
          {"check", latency.check}, {"total", latency.total}, {"overlapped", latency.overlapped},
          {"reported_accelerator", latency.reported}};
}

Json ConfigurationJson(const Configuration& c) {
  return {{"model", c.model}, {"scheme", c.scheme}, {"variant", c.variant}, {"theta", c.theta}, {"check", c.check},
          {"batch", c.batch}, {"input_size", c.input_size}};
}

Json SummaryJson(const Measurement& m) {
  std::optional<Summary> summary = Summarise(m);
  if (!summary.has_value()) return nullptr;
  Json json = LatencyJson(summary->parts);
  json["total"] = {{"median", summary->median}, {"p10", summary->p10}, {"p90", summary->p90}};
  return json;
}

Json CountsJson(const Counts& c) {
  return {{"switches", c.switches}, {"bytes_sent", c.bytes_sent}, {"bytes_received", c.bytes_received},
          {"linear", {{"total", c.linear_total}, {"offloaded", c.linear_offloaded}}},
          {"mul_adds", {{"total", c.mul_adds}, {"offloaded", c.mul_adds_offloaded}}}};
}

Json MeasurementJson(const Results& results, const Measurement& m) {
  Json rounds = Json::array();
  for (const auto& round : m.rounds) {
    Json repeats = Json::array();
    for (const control::Latency& latency : round) repeats.push_back(LatencyJson(latency));
    rounds.push_back(repeats);
  }
  std::optional<Ratio> ratio = RatioOf(&m, Counterpart(results, m.configuration, "insecure"));
  return {{"configuration", ConfigurationJson(m.configuration)},
          {"kind", results.modelled() ? "modelled" : "measured"},
          {"latency_ms", SummaryJson(m)},
          {"of_insecure", ratio ? Json{{"median", ratio->median}, {"low", ratio->low}, {"high", ratio->high}} : Json(nullptr)},
          {"counts", CountsJson(m.counts)},
          {"expected_ms", m.expected_ms > 0 ? Json(m.expected_ms) : Json(nullptr)},
          {"predicted_round_ms", m.predicted_round_ms > 0 ? Json(m.predicted_round_ms) : Json(nullptr)},
          {"offloaded_share", m.shares.empty() ? Json(nullptr) : Json(m.shares[0])},
          {"offloaded_shares", m.shares},
          {"draws", m.draws ? Json{{"p10", m.draws->p10}, {"median", m.draws->median}, {"p90", m.draws->p90}} : Json(nullptr)},
          {"skipped", m.skipped.empty() ? Json(nullptr) : Json(m.skipped)},
          {"rounds_ms", rounds}};
}

control::Latency ReadLatency(const Json& json) {
  return {.trusted = json.at("trusted"), .accelerator = json.at("accelerator"), .switching = json.at("switch"),
          .check = json.at("check"), .total = json.at("total"), .overlapped = json.at("overlapped"),
          .reported = json.at("reported_accelerator")};
}

double NumberOr(const Json& json, double otherwise) { return json.is_number() ? json.get<double>() : otherwise; }

Measurement ReadMeasurement(const Json& json) {
  const Json& c = json.at("configuration");
  Measurement m;
  m.configuration = {.model = c.at("model"), .scheme = c.at("scheme"), .check = c.at("check"), .variant = c.at("variant"),
                     .theta = c.at("theta"), .batch = c.at("batch"), .input_size = c.at("input_size")};
  for (const Json& round : json.at("rounds_ms")) {
    m.rounds.emplace_back();
    for (const Json& repeat : round) m.rounds.back().push_back(ReadLatency(repeat));
  }
  const Json& counts = json.at("counts");
  m.counts = {.switches = counts.at("switches"), .linear_total = counts.at("linear").at("total"),
              .linear_offloaded = counts.at("linear").at("offloaded"), .bytes_sent = counts.at("bytes_sent"),
              .bytes_received = counts.at("bytes_received"), .mul_adds = counts.at("mul_adds").at("total"),
              .mul_adds_offloaded = counts.at("mul_adds").at("offloaded")};
  m.expected_ms = NumberOr(json.at("expected_ms"), 0);
  m.predicted_round_ms = NumberOr(json.at("predicted_round_ms"), 0);
  m.shares = json.value("offloaded_shares", std::vector<double>());
  if (Json draws = json.value("draws", Json(nullptr)); draws.is_object())
    m.draws = Spread{draws.at("p10"), draws.at("median"), draws.at("p90")};
  if (json.at("skipped").is_string()) m.skipped = json.at("skipped");
  return m;
}

Results ReadResults(const Json& json) {
  const Json& protocol = json.at("protocol");
  Results results{.machine = json.at("machine"), .tee = json.at("tee"), .backend = json.at("worker").at("backend"),
                  .device = json.at("worker").at("device"), .date = json.at("date"), .version = json.at("version"),
                  .accelerator_model = json.at("accelerator_model").is_string() ? json.at("accelerator_model") : "",
                  .protocol = {protocol.at("rounds"), protocol.at("repeat"), protocol.at("warm_up"), protocol.at("threads"),
                               protocol.value("precision", "fp32"), protocol.value("dims", std::vector<std::string>())},
                  .complete = json.at("complete")};
  for (const Json& measurement : json.at("measurements")) results.measurements.push_back(ReadMeasurement(measurement));
  return results;
}

}  // namespace

std::string EncodeJson(const Results& results, const std::vector<Claim>& claims) {
  Json json = {{"schema", kSchema}, {"kind", results.modelled() ? "modelled" : "measured"},
               {"accelerator_model", results.accelerator_model.empty() ? Json(nullptr) : Json(results.accelerator_model)},
               {"machine", results.machine}, {"tee", results.tee},
               {"worker", {{"backend", results.backend}, {"device", results.device}}},
               {"date", results.date}, {"version", results.version},
               {"protocol", {{"rounds", results.protocol.rounds}, {"repeat", results.protocol.repeat},
                             {"warm_up", results.protocol.warm_up}, {"threads", results.protocol.threads},
                             {"precision", results.protocol.precision}, {"dims", results.protocol.dims}}},
               {"complete", results.complete}, {"measurements", Json::array()}, {"claims", Json::array()}};
  for (const Measurement& m : results.measurements) json["measurements"].push_back(MeasurementJson(results, m));
  for (const Claim& claim : claims)
    json["claims"].push_back({{"id", claim.id}, {"claim", claim.text}, {"verdict", VerdictName(claim.verdict)},
                              {"numbers", claim.numbers}});
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Results> DecodeJson(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("schema")) return InvalidArgument("it is no report.json of soter bench");
  if (json["schema"] != kSchema) return InvalidArgument("it has another schema than " + std::to_string(kSchema));
  try {
    return ReadResults(json);
  } catch (const Json::exception& error) {
    return InvalidArgument(std::string("it is no report.json of soter bench: ") + error.what());
  }
}

std::string EncodeCsv(const Results& results) {
  report::Csv csv({"kind", "model", "scheme", "variant", "theta", "check", "batch", "input_size", "round", "repeat", "total_ms",
                   "trusted_ms", "accelerator_ms", "switch_ms", "check_ms", "overlapped_ms", "switches", "bytes_sent",
                   "bytes_received", "mul_adds", "mul_adds_offloaded"});
  for (const Measurement& m : results.measurements) {
    const Configuration& c = m.configuration;
    for (size_t round = 0; round < m.rounds.size(); ++round)
      for (size_t i = 0; i < m.rounds[round].size(); ++i) {
        const control::Latency& l = m.rounds[round][i];
        csv.Add(results.modelled() ? "modelled" : "measured").Add(c.model).Add(c.scheme).Add(c.variant).Add(c.theta).Add(c.check);
        csv.Add(int64_t{c.batch}).Add(int64_t{c.input_size}).Add(static_cast<int64_t>(round + 1)).Add(static_cast<int64_t>(i + 1));
        csv.Add(l.total).Add(l.trusted).Add(l.accelerator).Add(l.switching).Add(l.check).Add(l.overlapped);
        csv.Add(int64_t{m.counts.switches}).Add(static_cast<int64_t>(m.counts.bytes_sent));
        csv.Add(static_cast<int64_t>(m.counts.bytes_received)).Add(m.counts.mul_adds).Add(m.counts.mul_adds_offloaded);
        csv.EndRow();
      }
  }
  return csv.text();
}

}  // namespace soter::bench
