#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz/allocation_limit.h"
#include "owner/onnx/import.h"
#include "owner/passes/canonicalise.h"

// Whatever the bytes are, the importer and the passes end with a graph or an error; a graph that they accept
// must be one that the validator can be asked about.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::AllocationLimit limit(size);
  soter::Result<soter::Graph> graph = soter::ImportOnnxBytes(std::as_bytes(std::span(data, size)));
  if (!graph.ok() || !soter::ValidatedGraph::Validate(*graph).ok()) return 0;
  soter::Result<soter::Graph> canonical = soter::Canonicalise(std::move(*graph));
  if (canonical.ok()) (void)soter::ValidatedGraph::Validate(std::move(*canonical)).ok();
  return 0;
}
