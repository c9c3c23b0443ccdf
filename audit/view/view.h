#pragma once

#include <filesystem>
#include <vector>

#include "common/graph/bind.h"

namespace soter::audit {

// What an accelerator saw (docs/spec/view.md). Tensors are dense and in the logical order of their axes, whatever
// layout crossed.

// SeenSegment is a graph that the accelerator was given, with the weights that it was given.
struct SeenSegment {
  StaticGraph graph;
};

// SeenRun is one execution of a segment: what went in and what came out, in the order of the graph.
struct SeenRun {
  size_t segment;
  std::vector<Tensor> inputs, outputs;
};

// SeenEvent is one message: its kind, the number it names, its size, and when it came.
struct SeenEvent {
  std::string what;
  uint64_t number = 0, size_bytes = 0;
  int64_t time_ns = 0;
};

// OwnQuery is a query that the adversary made itself: it knows the inputs and the answers.
struct OwnQuery {
  std::vector<Tensor> inputs, outputs;
};

// View is everything that an adversary has from one load of a model.
struct View {
  std::vector<SeenSegment> segments;
  std::vector<SeenRun> runs;
  std::vector<OwnQuery> queries;
  std::vector<SeenEvent> events;

  // RunOf is the run of `segment` that belongs to query `query`: each segment of a network runs once a query.
  // Null where the record has none.
  const SeenRun* RunOf(size_t segment, size_t query) const;
  // QueryCount is how many queries the segments' runs show: the greatest number of runs of one segment.
  size_t QueryCount() const;
};

// ReadView reads a record. Errors: kMalformed, kInvalidArgument, kUnavailable; the message names the file.
Result<View> ReadView(const std::filesystem::path& directory);

// WriteOwnQuery adds the adversary's query number `query` to a record. Errors: kUnavailable.
Status WriteOwnQuery(const std::filesystem::path& directory, size_t query, const OwnQuery& own);

// ReadArray reads a .npy file. Errors: kMalformed, kUnavailable; the message names the file.
Result<Tensor> ReadArray(const std::filesystem::path& path);
// WriteArray writes one. Errors: kUnavailable.
Status WriteArray(const std::filesystem::path& path, TensorView tensor);

}  // namespace soter::audit
