// make_view_corpus DIRECTORY: writes the seeds of fuzz/corpus/view: a whole record, and some that are wrong in one place.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/writer.h"
#include "common/graph/codec.h"
#include "common/graph/testing/graph_builder.h"
#include "untrusted/npy/npy.h"

namespace soter {
namespace {

enum File : char { kGraph, kPorts, kWeight, kInput, kOutput, kQuery, kEvents };

constexpr const char* kPortsJson =
    R"({"inputs": [{"dtype": "float32", "shape": [1, 2, 3, 3], "layout": "nhwc"}], )"
    R"("outputs": [{"dtype": "float32", "shape": [1, 2, 3, 3], "layout": "dense"}]})";

std::string Entry(File file, std::string_view bytes) {
  std::string entry = {file, static_cast<char>(bytes.size() & 255), static_cast<char>(bytes.size() >> 8)};
  return entry.append(bytes);
}

std::string Array(Shape shape) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, std::move(shape)}).value();
  for (float& value : tensor.MutableAs<float>()) value = 1;
  std::string text = NpyHeader(tensor.type());
  return text.append(reinterpret_cast<const char*>(tensor.bytes().data()), tensor.bytes().size());
}

std::string ConvGraph() {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{1, 2, 3, 3}), weight = builder.Weight({2, 2, 1, 1});
  builder.graph().initializers.back().weight = 1;
  builder.Output(builder.Add(Conv{.window = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}}, {x, weight}));
  Writer writer;
  CHECK(EncodeGraph(builder.graph(), [&](std::span<const std::byte> bytes) -> Status {
          writer.WriteBytes(bytes);
          return {};
        }).ok(), "a small graph can be encoded");
  std::vector<std::byte> bytes = std::move(writer).Take();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void WriteAll(const std::filesystem::path& directory) {
  std::string load = Entry(kGraph, ConvGraph()) + Entry(kPorts, kPortsJson) + Entry(kWeight, Array({2, 2, 1, 1}));
  std::string run = Entry(kInput, Array({1, 3, 3, 2})) + Entry(kOutput, Array({1, 2, 3, 3}));
  std::string events = Entry(kEvents, "{\"time_ns\": 1, \"event\": \"run\", \"number\": 0, \"size_bytes\": 0}\n");
  auto write = [&](const char* name, const std::string& seed) {
    std::ofstream(directory / name, std::ios::binary) << seed;
  };
  write("whole", load + run + Entry(kQuery, Array({1, 2, 3, 3})) + events);
  write("no-run", load);
  write("other-weight", load + Entry(kWeight, Array({2, 1})) + run);
  write("other-input", load + Entry(kInput, Array({4})));
  write("no-json", load + Entry(kPorts, "[1"));
  write("no-event", load + Entry(kEvents, "7\n"));
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "make_view_corpus DIRECTORY\n");
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  soter::WriteAll(argv[1]);
  return 0;
}
