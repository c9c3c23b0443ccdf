#pragma once

#include <span>

#include "common/wire/control.h"

namespace soter {

// LatencySummary describes the latencies of repeats. The parts are those of the repeat whose total is the median, so
// that they belong together.
struct LatencySummary {
  control::Latency parts;
  double median = 0, p10 = 0, p90 = 0;  // of the totals, by nearest rank
};

// Summarise needs at least one repeat.
LatencySummary Summarise(std::span<const control::Latency> repeats);

// TopEntry is one of the largest elements of an output.
struct TopEntry {
  size_t index = 0;
  double value = 0;
};

// TopEntries returns the five largest elements, largest first, of the first item along the first axis of `tensor`
// (of all of it where the rank is 1 or 0); `index` counts within that item.
std::vector<TopEntry> TopEntries(const Tensor& tensor);

}  // namespace soter
