// program_profile MODEL.onnx [--threads N] [--batch N] [--repeat N] [--top N] [--spare-mib N]: where the time of a
// network goes when one program computes all of it. Symbolic dimensions other than the first are 64. --spare-mib bounds
// how much larger than they are weights may be packed, as the enclave does. Prints the median of whole runs, the sum by
// operator and the slowest nodes; copies between layouts count as the node that wanted them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <random>

#include "common/compute/program.h"
#include "common/graph/op_traits.h"
#include "owner/onnx/import.h"
#include "owner/passes/canonicalise.h"

namespace soter {
namespace {

struct Options {
  std::string model;
  int threads = 2, repeat = 15;
  int64_t batch = 1;
  size_t top = 25;
  std::optional<size_t> spare_mib;
};

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

struct Buffers {
  std::vector<Buffer> owned;
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
};

Result<Buffers> MakeBuffers(const StaticGraph& graph) {
  Buffers buffers;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const GraphInput& input : graph.graph().inputs) {
    buffers.owned.push_back(TRY(TryBuffer(TRY(SizeBytes(graph.type(input.value))))));
    std::span<std::byte> bytes = buffers.owned.back().bytes();
    float* values = reinterpret_cast<float*>(bytes.data());
    if (input.dtype == DType::kFloat32) std::generate_n(values, bytes.size() / sizeof(float), [&] { return normal(random); });
    buffers.inputs.push_back(bytes.data());
  }
  for (ValueId value : graph.graph().outputs) {
    buffers.owned.push_back(TRY(TryBuffer(TRY(SizeBytes(graph.type(value))))));
    buffers.outputs.push_back(buffers.owned.back().bytes().data());
  }
  return buffers;
}

struct NodeTime {
  double milliseconds;
  uint32_t node;
};

void Print(const StaticGraph& graph, std::vector<NodeTime> nodes, double total, size_t top) {
  std::map<std::string, double> by_op;
  double sum = 0;
  for (const NodeTime& n : nodes) {
    by_op[OpName(graph.graph().nodes[n.node].op)] += n.milliseconds;
    sum += n.milliseconds;
  }
  std::printf("total %.3f ms (sum of nodes %.3f)\n", total, sum);
  for (const auto& [op, milliseconds] : by_op) {
    if (milliseconds > 0.005 * sum) std::printf("  %-14s %9.3f ms  %4.1f%%\n", op.c_str(), milliseconds, 100 * milliseconds / sum);
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.milliseconds > b.milliseconds; });
  for (size_t i = 0; i < std::min(top, nodes.size()); ++i) {
    const Node& node = graph.graph().nodes[nodes[i].node];
    double rate = 2e-6 * static_cast<double>(MulAdds(graph, node)) / nodes[i].milliseconds;
    std::string shapes;
    for (ValueId value : node.inputs) {
      if (value != kNoValue) shapes += " " + ShapeString(graph.type(value).shape);
    }
    std::printf("%9.3f ms  %6.1f GFLOP/s  %-12s %s%s\n", nodes[i].milliseconds, rate, OpName(node.op), node.name.c_str(),
                shapes.c_str());
  }
}

Status Profile(const Options& options) {
  ValidatedGraph model = TRY(ValidatedGraph::Validate(TRY(Canonicalise(TRY(ImportOnnx(options.model, {}, nullptr))))));
  std::vector<Shape> shapes = DefaultShapes(model.graph(), 64);
  for (Shape& shape : shapes) shape[0] = options.batch;
  StaticGraph graph = TRY(Bind(model, shapes));
  auto source = [](const Initializer& initializer) -> Result<std::shared_ptr<const Tensor>> { return initializer.data; };
  auto start = std::chrono::steady_clock::now();
  auto since = [&] { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count(); };
  size_t spare_bytes = options.spare_mib.value_or(0) << 20;
  ProgramOptions program_options{.threads = options.threads, .spare_bytes = options.spare_mib ? &spare_bytes : nullptr};
  Program program = TRY(Program::Compile(graph, source, program_options));
  std::printf("compiled in %.0f ms, weights %.1f MB, arena %.1f MB\n", since(), 1e-6 * static_cast<double>(program.weight_bytes()),
              1e-6 * static_cast<double>(program.scratch_bytes()));
  Buffers buffers = TRY(MakeBuffers(graph));
  std::vector<double> totals;
  std::vector<std::vector<double>> nodes(graph.graph().nodes.size());
  for (int i = 0; i < options.repeat; ++i) {
    start = std::chrono::steady_clock::now();
    TRY(program.Run(buffers.inputs, buffers.outputs));
    totals.push_back(since());
    std::vector<double> times = TRY(program.NodeTimes(buffers.inputs, buffers.outputs));
    for (size_t n = 0; n < times.size(); ++n) nodes[n].push_back(times[n]);
  }
  std::vector<NodeTime> medians;
  for (uint32_t n = 0; n < nodes.size(); ++n) medians.push_back({Median(nodes[n]), n});
  Print(graph, std::move(medians), Median(totals), options.top);
  return {};
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  soter::Options options;
  CLI::App app("Where the time of a network goes when one program computes all of it.");
  app.add_option("model", options.model)->required();
  app.add_option("--threads", options.threads);
  app.add_option("--batch", options.batch);
  app.add_option("--repeat", options.repeat);
  app.add_option("--top", options.top);
  app.add_option("--spare-mib", options.spare_mib);
  CLI11_PARSE(app, argc, argv);
  soter::Status status = soter::Profile(options);
  if (!status.ok()) std::fprintf(stderr, "program_profile: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
