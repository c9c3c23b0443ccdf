#include "common/base/writer.h"
#include "common/graph/codec.h"
#include "common/graph/encoding.h"

namespace soter {
namespace {

class AttributeWriter {
 public:
  explicit AttributeWriter(Writer& writer) : writer_(writer) {}

  template <typename E>
    requires std::is_enum_v<E>
  void operator()(const char*, E value) { writer_.WriteNumber(static_cast<uint8_t>(value)); }
  void operator()(const char*, bool value) { writer_.WriteNumber(static_cast<uint8_t>(value)); }
  void operator()(const char*, int64_t value) { writer_.WriteNumber(value); }
  void operator()(const char*, float value) { writer_.WriteNumber(value); }
  void operator()(const char*, const std::vector<int64_t>& values) {
    writer_.WriteCount(values.size());
    for (int64_t value : values) writer_.WriteNumber(value);
  }
  void operator()(const char*, const Window& value) { Window::Fields(value, *this); }

 private:
  Writer& writer_;
};

void WriteValues(Writer& writer, const std::vector<ValueId>& values) {
  writer.WriteCount(values.size());
  for (ValueId value : values) writer.WriteNumber(value);
}

void WriteInput(Writer& writer, const GraphInput& input) {
  writer.WriteNumber(input.value);
  writer.WriteNumber(static_cast<uint8_t>(input.dtype));
  writer.WriteNumber(static_cast<uint8_t>(input.shape.size()));
  for (const Dim& dim : input.shape)
    writer.WriteNumber<int64_t>(dim.is_symbol() ? -1 - static_cast<int64_t>(dim.symbol()) : dim.extent());
}

void WriteInitializer(Writer& writer, const Initializer& initializer) {
  writer.WriteNumber(initializer.value);
  writer.WriteNumber(static_cast<uint8_t>(initializer.type.dtype));
  writer.WriteNumber(static_cast<uint8_t>(initializer.type.shape.size()));
  for (int64_t extent : initializer.type.shape) writer.WriteNumber(extent);
  DataPlace place = PlaceOf(initializer);
  writer.WriteNumber(static_cast<uint8_t>(place));
  if (place == DataPlace::kInline) writer.WriteBytes(initializer.data->bytes());
  if (place == DataPlace::kAccelerator) writer.WriteNumber(initializer.weight);
}

void WriteNode(Writer& writer, const Node& node) {
  writer.WriteString(node.name);
  writer.WriteNumber(static_cast<uint8_t>(node.op.index()));
  WriteValues(writer, node.inputs);
  WriteValues(writer, node.outputs);
  std::visit([&](const auto& op) { std::decay_t<decltype(op)>::Fields(op, AttributeWriter(writer)); }, node.op);
}

}  // namespace

DataPlace PlaceOf(const Initializer& initializer) {
  if (initializer.weight != kNoWeight) return DataPlace::kAccelerator;
  bool is_small = initializer.data != nullptr && initializer.data->bytes().size() <= kInlineBytes;
  return is_small ? DataPlace::kInline : DataPlace::kStreamed;
}

std::vector<std::byte> EncodeStructure(const Graph& graph) {
  Writer writer;
  writer.WriteCount(graph.symbols.size());
  for (const std::string& symbol : graph.symbols) writer.WriteString(symbol);
  writer.WriteCount(graph.value_names.size());
  for (const std::string& name : graph.value_names) writer.WriteString(name);
  writer.WriteCount(graph.inputs.size());
  for (const GraphInput& input : graph.inputs) WriteInput(writer, input);
  WriteValues(writer, graph.outputs);
  writer.WriteCount(graph.initializers.size());
  for (const Initializer& initializer : graph.initializers) WriteInitializer(writer, initializer);
  writer.WriteCount(graph.nodes.size());
  for (const Node& node : graph.nodes) WriteNode(writer, node);
  return std::move(writer).Take();
}

std::vector<uint32_t> StreamedInitializers(const Graph& graph) {
  std::vector<uint32_t> streamed;
  for (uint32_t i = 0; i < graph.initializers.size(); ++i)
    if (PlaceOf(graph.initializers[i]) == DataPlace::kStreamed) streamed.push_back(i);
  return streamed;
}

Status EncodeGraph(const Graph& graph, const std::function<Status(std::span<const std::byte>)>& write) {
  constexpr std::byte kZeros[kGraphAlignment] = {};
  auto write_padding = [&](size_t size_bytes) { return write(std::span(kZeros).first(PaddingAfter(size_bytes))); };
  std::vector<std::byte> structure = EncodeStructure(graph);
  Writer header;
  header.WriteBytes(std::as_bytes(std::span(kGraphMagic)));
  header.WriteNumber<uint64_t>(structure.size());
  TRY(write(header.bytes()));
  TRY(write(structure));
  TRY(write_padding(header.size() + structure.size()));
  for (uint32_t index : StreamedInitializers(graph)) {
    const std::shared_ptr<const Tensor>& data = graph.initializers[index].data;
    CHECK(data != nullptr, "an initializer that is encoded has data");
    TRY(write(data->bytes()));
    TRY(write_padding(data->bytes().size()));
  }
  return {};
}

}  // namespace soter
