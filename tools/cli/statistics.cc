#include "tools/cli/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace soter {

namespace {

constexpr size_t kTopCount = 5;

template <typename T>
std::vector<double> ToDoubles(std::span<const T> values) {
  return {values.begin(), values.end()};
}

std::vector<double> FirstItem(const Tensor& tensor) {
  auto all = static_cast<size_t>(ElementCount(tensor.shape()).value());
  size_t count = tensor.shape().size() < 2 || all == 0 ? all : all / static_cast<size_t>(tensor.shape()[0]);
  switch (tensor.dtype()) {
    case DType::kFloat32: return ToDoubles(tensor.As<float>().first(count));
    case DType::kFloat64: return ToDoubles(tensor.As<double>().first(count));
    case DType::kInt8: return ToDoubles(tensor.As<int8_t>().first(count));
    case DType::kUint8: return ToDoubles(tensor.As<uint8_t>().first(count));
    case DType::kInt32: return ToDoubles(tensor.As<int32_t>().first(count));
    case DType::kInt64: return ToDoubles(tensor.As<int64_t>().first(count));
    case DType::kBool: return ToDoubles(tensor.As<bool>().first(count));
    case DType::kFloat16: return {};  // no model here has such an output
  }
  return {};
}

}  // namespace

LatencySummary Summarise(std::span<const control::Latency> repeats) {
  CHECK(!repeats.empty(), "a summary of nothing");
  std::vector<const control::Latency*> sorted;
  for (const control::Latency& repeat : repeats) sorted.push_back(&repeat);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->total < b->total; });
  auto rank = [&](double share) {
    auto position = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::max<size_t>(position, 1) - 1];
  };
  const control::Latency* middle = rank(0.5);
  return {.parts = *middle, .median = middle->total, .p10 = rank(0.1)->total, .p90 = rank(0.9)->total};
}

std::vector<TopEntry> TopEntries(const Tensor& tensor) {
  std::vector<double> values = FirstItem(tensor);
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  size_t count = std::min(kTopCount, order.size());
  auto larger = [&](size_t a, size_t b) { return values[a] != values[b] ? values[a] > values[b] : a < b; };
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(count), order.end(), larger);
  std::vector<TopEntry> top;
  for (size_t i = 0; i < count; ++i) top.push_back({order[i], values[order[i]]});
  return top;
}

}  // namespace soter
