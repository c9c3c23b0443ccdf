#include <algorithm>
#include <chrono>
#include <map>

#include "common/compute/program.h"
#include "common/compute/simd.h"
#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"
#include "trusted/check/freivalds.h"
#include "trusted/engine/activation_layout.h"
#include "trusted/plan/placement.h"

// Each checked operator of a network by itself, and beside it the time of reading its input and its result once: how far
// the check is from what memory allows. All operators take turns, so that each finds the caches as the others leave them.
namespace soter::integrity {
namespace {

using Clock = std::chrono::steady_clock;

// The sum of what lies between two places, eight vectors at a time: as fast as memory gives it.
SOTER_SIMD_CLONES float SumOf(const float* values, size_t count) {
  float lanes[128] = {};
  size_t i = 0;
  for (; i + 128 <= count; i += 128)
#pragma omp simd
    for (size_t j = 0; j < 128; ++j) lanes[j] += values[i + j];
  for (; i < count; ++i) lanes[0] += values[i];
  float sum = 0;
  for (float lane : lanes) sum += lane;
  return sum;
}

std::string NameOf(const Node& node, const TensorType& x, const TensorType& y) {
  if (std::holds_alternative<Linear>(node.op)) return "linear, " + ShapeString(x.shape) + " to " + std::to_string(y.shape.back());
  const auto* conv = std::get_if<Conv>(&node.op);
  std::string kernel = "transposed";
  if (conv != nullptr) kernel = ShapeString(conv->window.kernel) + " stride " + std::to_string(conv->window.strides[0]);
  return "conv " + kernel + ", " + ShapeString(x.shape) + " to " + std::to_string(y.shape[1]);
}

class CheckedNode {
 public:
  CheckedNode(const StaticGraph& graph, const Node& node, Layout blocked, int threads, RandomSource& random) : threads_(threads) {
    const TensorType &x = graph.type(node.inputs[0]), &y = graph.type(node.outputs[0]);
    name = NameOf(node, x, y), y_type_ = y;
    auto layout = [&](const TensorType& type) {
      return type.shape.size() == 4 && type.shape[1] % 16 == 0 ? blocked : Layout::kDense;
    };
    y_layout_ = layout(y);
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    const Tensor* bias = has_bias ? graph.initializer(node.inputs[2])->data.get() : nullptr;
    const Tensor& weight = *graph.initializer(node.inputs[1])->data;
    check_.emplace(Freivalds::Create({node, x, y, layout(x), y_layout_, weight, bias},
                                     FamilyOf(node, wire::Arithmetic::kFloat32, control::WorkerKind::kCpu), threads, random));
    x_ = Buffer(LaidOutBytes(x, layout(x)).value()), y_ = Buffer(LaidOutBytes(y, y_layout_).value());
    for (std::span<float> values : {Floats(x_), Floats(y_)})  // what they hold does not matter: time depends on shapes only
      for (float& value : values) value = static_cast<float>(random.NextUniform());
  }

  double CheckMs(FreivaldsScratch& scratch) {
    Clock::time_point start = Clock::now();
    (void)check_->Check(Floats(x_), Claim({y_type_, y_layout_, y_.bytes()}), scratch);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  double ReadMs() {
    Clock::time_point start = Clock::now();
    float sum = 0;
    for (std::span<const float> values : {Floats(x_), Floats(y_)}) {
#pragma omp parallel for reduction(+ : sum) num_threads(threads_) if (values.size() > (1 << 16))
      for (int part = 0; part < threads_; ++part) {
        auto of = static_cast<size_t>(threads_);
        size_t begin = values.size() * static_cast<size_t>(part) / of, end = values.size() * static_cast<size_t>(part + 1) / of;
        sum += SumOf(values.data() + begin, end - begin);
      }
    }
    sink_ = sum;
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  size_t bytes() const { return x_.size() + y_.size(); }
  size_t scratch_bytes() const { return check_->scratch_bytes(); }

  std::string name;
  std::vector<double> check_ms, read_ms;

 private:
  static std::span<float> Floats(Buffer& buffer) {
    return {reinterpret_cast<float*>(buffer.bytes().data()), buffer.size() / sizeof(float)};
  }

  int threads_;
  std::optional<Freivalds> check_;
  TensorType y_type_;
  Layout y_layout_ = Layout::kDense;
  Buffer x_, y_;
  volatile float sink_ = 0;
};

// Whatever else runs only ever adds to a time.
double Least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

Status MeasureModel(const std::string& name, const CampaignOptions& options, std::vector<OperatorRow>& rows) {
  ValidatedGraph model = TRY(ZooModel(name));
  std::vector<Shape> shapes = InputShapes(model.graph());
  StaticGraph graph = TRY(Bind(model, shapes));
  Placement placement = PlaceVerified(graph);
  const Layout blocked = TRY(ActivationLayout(static_cast<int>(options.threads)));
  auto random = MakeSeededRandom(options.seed);
  std::vector<std::unique_ptr<CheckedNode>> nodes;
  FreivaldsScratch scratch;
  for (size_t i = 0; i < placement.size(); ++i) {
    if (!placement[i].checked || Stopped()) continue;
    nodes.push_back(std::make_unique<CheckedNode>(graph, graph.graph().nodes[i], blocked, static_cast<int>(options.threads),
                                                  *random));
    TRY(scratch.Reserve(nodes.back()->scratch_bytes()));
  }
  for (uint32_t i = 0; i < options.rounds * options.repeat && !Stopped(); ++i) {
    for (auto& node : nodes) node->check_ms.push_back(node->CheckMs(scratch));
    for (auto& node : nodes) node->read_ms.push_back(node->ReadMs());
  }
  std::map<std::string, OperatorRow> by_name;
  for (const auto& node : nodes) {
    if (node->read_ms.empty()) continue;
    OperatorRow& row = by_name[node->name];
    row.model = name, row.operator_name = node->name, ++row.count;
    row.bytes += node->bytes(), row.check_ms += Least(node->check_ms), row.read_ms += Least(node->read_ms);
  }
  for (const auto& [key, row] : by_name) rows.push_back(row);
  return {};
}

}  // namespace

std::vector<OperatorRow> MeasureOperators(const CampaignOptions& options) {
  std::vector<OperatorRow> rows;
  for (const std::string& model : options.models) {
    if (Stopped()) break;
    Say("operators: " + model);
    Status measured = MeasureModel(model, options, rows);
    if (!measured.ok()) Say(measured.error().message);
  }
  return rows;
}

}  // namespace soter::integrity
