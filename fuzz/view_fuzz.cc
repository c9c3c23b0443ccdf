// ReadView on a directory of any bytes: no crash, and what it accepts holds together.

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "audit/attacks/alignment.h"
#include "audit/view/view.h"

namespace {

namespace fs = std::filesystem;

// The files of a record with one segment; `data` is a list of them: which, how long (two bytes, little end first), what.
constexpr std::string_view kFiles[] = {
    "segments/0/graph.bin",     "segments/0/segment.json",       "weights/1.npy", "runs/0-segment-0/input-0.npy",
    "runs/0-segment-0/output-0.npy", "queries/0/input-0.npy", "events.jsonl"};

const fs::path& Root() {
  static const fs::path root = fs::temp_directory_path() / ("soter-view-fuzz-" + std::to_string(::getpid()));
  return root;
}

void WriteFiles(const uint8_t* data, size_t size) {
  fs::remove_all(Root());
  fs::create_directories(Root() / "weights");
  while (size >= 3) {
    fs::path path = Root() / kFiles[data[0] % std::size(kFiles)];
    size_t length = std::min<size_t>(data[1] + 256u * data[2], size - 3);
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data) + 3, static_cast<std::streamsize>(length));
    data += 3 + length, size -= 3 + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  WriteFiles(data, size);
  soter::Result<soter::audit::View> view = soter::audit::ReadView(Root());
  fs::remove_all(Root());
  if (!view.ok()) return 0;
  for (const soter::audit::SeenRun& run : view->runs) {
    CHECK(run.segment < view->segments.size(), "a run of a segment that is not there");
    const soter::StaticGraph& graph = view->segments[run.segment].graph;
    CHECK(run.inputs.size() == graph.graph().inputs.size(), "a run without all of its inputs");
    for (size_t i = 0; i < run.outputs.size(); ++i)
      CHECK(run.outputs[i].type() == graph.type(graph.graph().outputs[i]), "an output of another type than the graph's");
  }
  for (const soter::audit::SeenSegment& segment : view->segments) soter::audit::Align(segment.graph, *view);
  return 0;
}
