#pragma once

#include <vector>

#include "common/graph/graph.h"
#include "tools/bench/results.h"
#include "tools/cli/bench_options.h"
#include "tools/cli/inputs.h"

// What `soter bench` measures, in which order, and how one measurement follows from another.
namespace soter::bench {

bool IsScheme(const std::string& name);

// Configurations are models x batches x input sizes x schemes x thetas; where both are compared, aegisdnn with the
// protected set of soter follows each soter.
std::vector<Configuration> Configurations(const BenchOptions& options);

// PlacementKey names the placement that a configuration makes or takes.
std::string PlacementKey(const Configuration& configuration);
std::vector<uint32_t> PlacementOf(const control::PlanReport& plan);

// TakePlan adds what the plan of one more round says to the measurement that it was made for.
void TakePlan(const control::PlanReport& plan, Measurement& measurement);

// WithInputSize gives square images another edge length, 0 leaves them. Errors: kInvalidArgument (no such input, or
// the network is bound to its own size).
Result<ValidatedGraph> WithInputSize(const ValidatedGraph& graph, uint32_t input_size);

// InputsFor are random inputs of `batch` items. Errors: kInvalidArgument (the network's batch is fixed).
// Of several networks each takes those of options.dims that it has.
Result<InputOptions> InputsFor(const BenchOptions& options, const Graph& graph, uint32_t batch);

// SummaryText is the table that ends on the terminal.
std::string SummaryText(const Results& results);

}  // namespace soter::bench
