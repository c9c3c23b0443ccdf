#include "tools/cli/bench_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include "tools/cli/text.h"

namespace soter::bench {

namespace {

constexpr std::array kSchemes = {"insecure", "mlcapsule", "soter", "aegisdnn", "verified", "ennclave"};

bool Has(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string CheckOf(const BenchOptions& options, const std::string& scheme) {
  if (scheme == "verified") return "freivalds";
  if (scheme != "soter") return "none";
  return options.check.empty() ? "freivalds" : options.check;
}

// What could be offloaded at best under each of many draws of theta of the linear operators: these, and all others.
std::optional<Spread> SharesOfDraws(const control::PlanReport& plan, double theta) {
  constexpr size_t kDraws = 1000;
  std::vector<double> linear, shares;
  double all = 0, others = 0;
  for (const control::NodePlan& node : plan.nodes) {
    all += node.enclave_ms;
    if (node.linear) linear.push_back(node.enclave_ms);
    else others += node.enclave_ms;
  }
  if (!(all > 0) || linear.empty()) return std::nullopt;
  auto drawn = static_cast<std::ptrdiff_t>(std::llround(theta * static_cast<double>(linear.size())));
  std::mt19937 engine(1);
  for (size_t i = 0; i < kDraws; ++i) {
    std::shuffle(linear.begin(), linear.end(), engine);
    shares.push_back((others + std::accumulate(linear.begin(), linear.begin() + drawn, 0.0)) / all);
  }
  std::sort(shares.begin(), shares.end());
  return Spread{shares[kDraws / 10], shares[kDraws / 2], shares[kDraws - 1 - kDraws / 10]};
}

// Adds what is measured of one network with inputs of one size.
void AddSchemes(const BenchOptions& options, const Configuration& place, std::vector<Configuration>& all) {
  std::vector<std::string> schemes = options.schemes;
  if (schemes.empty()) schemes.assign(kSchemes.begin(), kSchemes.end() - (options.public_model.empty() ? 1 : 0));
  for (const std::string& scheme : schemes) {
    Configuration c = place;
    c.scheme = scheme, c.check = CheckOf(options, scheme);
    if (!HasTheta(c)) {
      all.push_back(c);
      continue;
    }
    for (double theta : options.thetas) {
      c.theta = theta;
      all.push_back(c);
      if (!Has(schemes, "aegisdnn")) continue;
      all.push_back(c);
      all.back().scheme = "aegisdnn", all.back().check = "none", all.back().variant = kSameSet;
    }
  }
}

}  // namespace

bool IsScheme(const std::string& name) { return std::find(kSchemes.begin(), kSchemes.end(), name) != kSchemes.end(); }

std::vector<Configuration> Configurations(const BenchOptions& options) {
  std::vector<uint32_t> sizes = options.input_sizes.empty() ? std::vector<uint32_t>{0} : options.input_sizes;
  std::vector<Configuration> all;
  for (const std::string& model : options.models)
    for (uint32_t batch : options.batches)
      for (uint32_t size : sizes) AddSchemes(options, {.model = model, .batch = batch, .input_size = size}, all);
  return all;
}

std::string PlacementKey(const Configuration& c) {
  std::string maker = c.variant == kSameSet ? "soter" : c.scheme;
  return c.model + "/" + std::to_string(c.batch) + "/" + std::to_string(c.input_size) + "/" + maker +
         (maker == "soter" ? "/" + FormatFixed(c.theta, 6) : "");
}

std::vector<uint32_t> PlacementOf(const control::PlanReport& plan) {
  std::vector<uint32_t> values;
  for (const control::NodePlan& node : plan.nodes)
    if (node.accelerator) values.push_back(node.value);
  return values;
}

void TakePlan(const control::PlanReport& plan, Measurement& measurement) {
  Counts& counts = measurement.counts;
  counts.linear_total = plan.linear_total, counts.linear_offloaded = plan.linear_offloaded;
  counts.mul_adds = plan.mul_adds_total, counts.mul_adds_offloaded = plan.mul_adds_offloaded;
  if (plan.predicted) {
    measurement.expected_ms = plan.expected_ms;
    for (const control::NodePlan& node : plan.nodes) measurement.enclave_ms[node.value] = node.enclave_ms;
    if (measurement.configuration.scheme == "soter") measurement.draws = SharesOfDraws(plan, measurement.configuration.theta);
  }
  double all = 0, offloaded = 0;
  for (const control::NodePlan& node : plan.nodes) {
    double ms = measurement.enclave_ms.contains(node.value) ? measurement.enclave_ms.at(node.value) : 0;
    all += ms;
    offloaded += node.accelerator ? ms : 0;
  }
  if (all > 0) measurement.shares.push_back(offloaded / all);
}

Result<ValidatedGraph> WithInputSize(const ValidatedGraph& graph, uint32_t input_size) {
  if (input_size == 0) return graph;
  Graph sized = graph.graph();
  bool changed = false;
  for (GraphInput& input : sized.inputs) {
    bool square = input.shape.size() == 4 && !input.shape[2].is_symbol() && input.shape[2] == input.shape[3];
    if (!square) continue;
    input.shape[2] = input.shape[3] = Dim::Constant(input_size);
    changed = true;
  }
  if (!changed) return InvalidArgument("--input-size: the network takes no square images");
  return ValidatedGraph::Validate(std::move(sized));
}

Result<InputOptions> InputsFor(const BenchOptions& options, const Graph& graph, uint32_t batch) {
  InputOptions inputs{.random = true, .dims = {}};
  for (const GraphInput& input : graph.inputs) {
    if (input.shape.empty() || !input.shape[0].is_symbol()) continue;
    std::string dim = graph.symbols[input.shape[0].symbol()] + "=" + std::to_string(batch);
    if (!Has(inputs.dims, dim.c_str())) inputs.dims.push_back(dim);
  }
  if (inputs.dims.empty() && batch != 1) return InvalidArgument("--batch: the network's batch is fixed");
  for (const std::string& dim : options.dims) {
    // Of several networks each takes the symbols that it has.
    std::string symbol = dim.substr(0, dim.rfind('='));
    bool known = std::find(graph.symbols.begin(), graph.symbols.end(), symbol) != graph.symbols.end();
    if (known || options.models.size() == 1) inputs.dims.push_back(dim);
  }
  return inputs;
}

std::string SummaryText(const Results& results) {
  const char* kind = results.modelled() ? "modelled, ms" : "median, ms";
  Table table({{"network"}, {"scheme"}, {kind, Table::Align::kRight}, {"p10", Table::Align::kRight}, {"p90", Table::Align::kRight},
               {"of insecure", Table::Align::kRight}, {"check share", Table::Align::kRight}, {"switches", Table::Align::kRight}});
  for (const Measurement& m : results.measurements) {
    const Configuration& c = m.configuration;
    std::string place = c.model + (c.batch != 1 ? ", batch " + std::to_string(c.batch) : "") +
                        (c.input_size != 0 ? ", size " + std::to_string(c.input_size) : "");
    place = TerminalSafe(place, Lines::kJoin);
    std::optional<Summary> s = Summarise(m);
    if (!s) {
      table.AddRow({place, Label(c), "-", "", "", "", "", TerminalSafe(m.skipped, Lines::kJoin)});
      continue;
    }
    std::optional<Ratio> ratio = RatioOf(&m, Counterpart(results, c, "insecure"));
    table.AddRow({place, Label(c), FormatFixed(s->median, 3), FormatFixed(s->p10, 3), FormatFixed(s->p90, 3),
                  ratio ? FormatFixed(ratio->median, 2) + "x" : "-",
                  FormatFixed(100 * s->parts.check / std::max(s->median, 1e-9), 1) + "%", std::to_string(m.counts.switches)});
  }
  std::string text = results.machine + "\naccelerator: " + TerminalSafe(results.device, Lines::kJoin) + "\n";
  if (results.modelled()) text += "MODELLED: no accelerator of this speed was measured\n";
  if (results.tee == "dev") text += "development TEE: a plain process; it protects nothing against this machine's owner\n";
  return text + "\n" + table.Text() + "\n";
}

}  // namespace soter::bench
