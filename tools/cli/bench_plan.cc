#include "tools/cli/bench_plan.h"

#include <algorithm>
#include <array>

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
  if (!plan.predicted) return;
  measurement.expected_ms = plan.expected_ms;
  double all = 0, offloaded = 0;
  for (const control::NodePlan& node : plan.nodes) {
    all += node.enclave_ms;
    offloaded += node.accelerator ? node.enclave_ms : 0;
  }
  if (all > 0) measurement.offloaded_share = offloaded / all;
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

Result<InputOptions> InputsFor(const Graph& graph, uint32_t batch) {
  InputOptions inputs{.random = true};
  for (const GraphInput& input : graph.inputs) {
    if (input.shape.empty() || !input.shape[0].is_symbol()) continue;
    std::string dim = graph.symbols[input.shape[0].symbol()] + "=" + std::to_string(batch);
    if (!Has(inputs.dims, dim.c_str())) inputs.dims.push_back(dim);
  }
  if (inputs.dims.empty() && batch != 1) return InvalidArgument("--batch: the network's batch is fixed");
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
