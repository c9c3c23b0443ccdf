// make_graph_corpus DIRECTORY: writes the seeds of fuzz/corpus/graph: sound graphs, and some that were made to
// hurt. Run it again when the encoding changes.

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/graph/codec.h"
#include "common/graph/testing/graph_builder.h"
#include "common/graph/testing/graph_samples.h"

namespace soter {
namespace {

Graph HugeRange() {
  GraphBuilder b;
  b.Output(b.Add(Range{}, {b.Scalar(0), b.Scalar(int64_t{1} << 60), b.Scalar(1)}));
  return std::move(b.graph());
}

Graph TileExplosion() {
  GraphBuilder b;
  ValueId x = b.Integers({1, 2, 3, 4});
  for (int i = 0; i < 40; ++i) x = b.Add(Tile{}, {x, b.Integers({int64_t{1} << 10})});
  b.Output(x);
  return std::move(b.graph());
}

Graph ManyFolds() {
  GraphBuilder b;
  ValueId x = b.Add(Expand{}, {b.Scalar(1), b.Integers({1 << 16})});
  for (int i = 0; i < 300; ++i) x = b.Add(Binary{.kind = BinaryKind::kMul}, {x, x});
  b.Output(x);
  return std::move(b.graph());
}

Graph HugeWindow() {
  GraphBuilder b;
  int64_t most = INT32_MAX;
  Window window{{most}, {most}, {most}, {most}, {most}, AutoPad::kSameUpper};
  ValueId x = b.Input("x", {b.Symbol("n"), Dim::Constant(1), Dim::Constant(int64_t{1} << 47)});
  b.Output(b.Add(ConvTranspose{.window = window, .output_padding = {most - 1}}, {x, b.Weight({1, 1, most})}));
  return std::move(b.graph());
}

// A graph with data behind its structure, and the same after its initializer was made to claim 4 TiB.
std::vector<std::byte> WholeGraph(int64_t columns) {
  GraphBuilder b;
  ValueId weight = b.Constant(Tensor::FromValues<float>({1, 300}, std::vector<float>(300, 0.5f)));
  b.Output(b.Add(Linear{}, {b.Input("x", Shape{1, 300}), weight}));
  std::vector<std::byte> bytes;
  Status status = EncodeGraph(b.graph(), [&bytes](std::span<const std::byte> piece) -> Status {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return {};
  });
  CHECK(status.ok(), "writing to memory succeeds");
  const int64_t written = 300;
  for (size_t i = 0; i + sizeof(written) <= bytes.size(); ++i)
    if (std::memcmp(bytes.data() + i, &written, sizeof(written)) == 0) std::memcpy(bytes.data() + i, &columns, sizeof(columns));
  return bytes;
}

bool Write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return file.flush().good();
}

bool WriteCorpus(const std::filesystem::path& directory) {
  std::vector<std::pair<std::string, Graph>> seeds;
  for (Graph& graph : SampleGraphs()) seeds.emplace_back("sample-" + std::to_string(seeds.size()), std::move(graph));
  seeds.emplace_back("huge-range", HugeRange());
  seeds.emplace_back("tile-explosion", TileExplosion());
  seeds.emplace_back("many-folds", ManyFolds());
  seeds.emplace_back("huge-window", HugeWindow());
  for (const auto& [name, graph] : seeds)
    if (!Write(directory / name, EncodeStructure(graph))) return false;
  std::vector<std::byte> truncated = EncodeStructure(seeds[0].second);
  truncated.resize(truncated.size() * 2 / 3);
  return Write(directory / "truncated", truncated) && Write(directory / "whole", WholeGraph(300)) &&
         Write(directory / "whole-huge-claim", WholeGraph(int64_t{1} << 40)) &&
         Write(directory / "counts", std::vector<std::byte>(64, std::byte{0xff}));
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  if (argc != 2 || !soter::WriteCorpus(argv[1])) {
    std::fprintf(stderr, "usage: make_graph_corpus DIRECTORY (which must exist)\n");
    return 1;
  }
}
