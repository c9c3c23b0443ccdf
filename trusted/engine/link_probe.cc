#include "trusted/engine/link_probe.h"

#include <algorithm>

#include "trusted/mask/transfer.h"

namespace soter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRuns = 9;
constexpr int64_t kFew = 16, kMany = 1 << 20;  // floats
constexpr double kManyMb = kMany * sizeof(float) / 1e6;

enum Probe : uint32_t { kSwitch, kSend, kReceive, kProbeCount };

TensorType Floats(int64_t count) { return {DType::kFloat32, {count}}; }

ValueId Constant(Graph& graph, int64_t number) {
  ValueId value = graph.AddValue("");
  Tensor tensor = Tensor::FromValues<int64_t>({1}, {number});
  TensorType type = tensor.type();
  graph.initializers.push_back({value, type, std::make_shared<const Tensor>(std::move(tensor)), kNoWeight});
  return value;
}

// One operator that computes next to nothing: it takes the first few of its operands, or repeats one.
Segment MakeProbe(Probe probe) {
  int64_t in = probe == kSend ? kMany : probe == kReceive ? 1 : kFew, out = probe == kReceive ? kMany : kFew;
  Segment segment{.id = probe, .input_types = {Floats(in)}, .output_types = {Floats(out)},
                  .input_layouts = {Layout::kDense}, .output_layouts = {Layout::kDense}};
  Graph& graph = segment.graph;
  ValueId x = graph.AddValue("in0"), y = graph.AddValue("out0");
  graph.inputs.push_back({x, DType::kFloat32, {Dim::Constant(in)}});
  graph.outputs.push_back(y);
  if (probe == kReceive) graph.nodes.push_back({"n0", Expand{}, {x, Constant(graph, out)}, {y}});
  else graph.nodes.push_back({"n0", Slice{}, {x, Constant(graph, 0), Constant(graph, out)}, {y}});
  return segment;
}

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// One call, as the engine makes it.
Result<double> Call(Accelerator& accelerator, const Segment& segment, std::span<const float> source, Buffer& target,
                    std::chrono::milliseconds timeout) {
  Clock::time_point start = Clock::now();
  SendScaled(source, 1.0f, accelerator.InputBuffer(segment.id, 0));
  TRY(accelerator.Start(segment.id, start + timeout));
  UntrustedTensor answer = TRY(accelerator.Await(segment.id, 0, start + timeout));
  TRY(TakeIn(answer, 1.0f, {segment.output_types[0], Layout::kDense, target.bytes()}));
  TRY(accelerator.Finish(segment.id, start + timeout));
  return MillisecondsSince(start);
}

double PassMsPerMb(std::span<const float> source, Buffer& target) {
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    Clock::time_point start = Clock::now();
    SendScaled(source, 1.0f, target.bytes());
    times.push_back(MillisecondsSince(start));
  }
  return Median(times) / kManyMb;
}

}  // namespace

double Median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Result<LinkCosts> MeasureLink(Accelerator& accelerator, std::chrono::milliseconds timeout) {
  std::vector<Segment> segments;
  for (uint32_t probe = 0; probe < kProbeCount; ++probe) segments.push_back(MakeProbe(static_cast<Probe>(probe)));
  TRY(accelerator.LoadSegments(segments));
  std::vector<float> source(kMany, 1.0f);
  Buffer target = TRY(TryBuffer(kMany * sizeof(float)));
  double ms[kProbeCount];
  for (const Segment& segment : segments) {
    auto count = static_cast<size_t>(segment.input_types[0].shape[0]);
    auto bytes = static_cast<size_t>(segment.output_types[0].shape[0]) * sizeof(float);
    Buffer part = TRY(TryBuffer(bytes));
    std::vector<double> times;
    for (int i = 0; i < kRuns; ++i) times.push_back(TRY(Call(accelerator, segment, std::span(source).first(count), part, timeout)));
    ms[segment.id] = Median(times);
  }
  return LinkCosts{ms[kSwitch], std::max(0.0, ms[kSend] - ms[kSwitch]) / kManyMb,
                   std::max(0.0, ms[kReceive] - ms[kSwitch]) / kManyMb, PassMsPerMb(source, target)};
}

}  // namespace soter
