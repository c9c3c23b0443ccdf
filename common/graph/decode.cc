#include <algorithm>
#include <utility>

#include "common/base/reader.h"
#include "common/graph/codec.h"
#include "common/graph/encoding.h"
#include "common/graph/node_rules.h"

namespace soter {
namespace {

// The fewest bytes that an element of each list takes; they bound what a count may claim.
constexpr size_t kMinStringBytes = 4;
constexpr size_t kMinInputBytes = 6;
constexpr size_t kMinInitializerBytes = 7;
constexpr size_t kMinNodeBytes = 13;

template <typename E>
Result<E> ReadEnum(Reader& reader, const char* name) {
  uint8_t number = TRY(reader.ReadNumber<uint8_t>());
  if (number > static_cast<uint8_t>(E::kLast)) return Malformed(std::string(name) + " is not a known value");
  return static_cast<E>(number);
}

Result<DType> ReadDType(Reader& reader) {
  uint8_t number = TRY(reader.ReadNumber<uint8_t>());
  return DTypeFromNumber(number);
}

// AttributeReader reads an operator's attributes in the order of its Fields; after an error it does nothing.
class AttributeReader {
 public:
  explicit AttributeReader(Reader& reader) : reader_(reader) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    if (!status_.ok()) return;
    Status status = Read(name, value);
    if (status_.ok()) status_ = std::move(status);
  }
  Status status() const { return status_; }

 private:
  template <typename E>
    requires std::is_enum_v<E>
  Status Read(const char* name, E& value) {
    value = TRY(ReadEnum<E>(reader_, name));
    return {};
  }
  Status Read(const char*, DType& value) {
    value = TRY(ReadDType(reader_));
    return {};
  }
  Status Read(const char* name, bool& value) {
    uint8_t number = TRY(reader_.ReadNumber<uint8_t>());
    if (number > 1) return Malformed(std::string(name) + " is neither 0 nor 1");
    value = number == 1;
    return {};
  }
  Status Read(const char*, int64_t& value) {
    value = TRY(reader_.ReadNumber<int64_t>());
    return {};
  }
  Status Read(const char*, float& value) {
    value = TRY(reader_.ReadNumber<float>());
    return {};
  }
  Status Read(const char*, std::vector<int64_t>& values) {
    values.resize(TRY(reader_.ReadCount(sizeof(int64_t))));
    for (int64_t& value : values) value = TRY(reader_.ReadNumber<int64_t>());
    return {};
  }
  Status Read(const char*, Window& value) {
    Window::Fields(value, *this);
    return status_;
  }

  Reader& reader_;
  Status status_;
};

// ReadOp reads the attributes of the operator with that number.
template <size_t kNumber = 0>
Result<Op> ReadOp(Reader& reader, uint8_t number) {
  if constexpr (kNumber < std::variant_size_v<Op>) {
    if (number != kNumber) return ReadOp<kNumber + 1>(reader, number);
    std::variant_alternative_t<kNumber, Op> op;
    AttributeReader attributes(reader);
    decltype(op)::Fields(op, attributes);
    TRY(attributes.status());
    return Op(std::move(op));
  } else {
    return Malformed("no operator has number " + std::to_string(number));
  }
}

class StructureReader {
 public:
  explicit StructureReader(std::span<const std::byte> bytes) : reader_(bytes) {}

  Result<Graph> Run() {
    Graph graph;
    TRY(ReadNames(graph.symbols, kMaxSymbols));
    TRY(ReadNames(graph.value_names, kMaxValues));
    uint32_t input_count = TRY(reader_.ReadCount(kMinInputBytes));
    for (uint32_t i = 0; i < input_count; ++i) graph.inputs.push_back(TRY(ReadInput()));
    graph.outputs = TRY(ReadValues());
    uint32_t initializer_count = TRY(reader_.ReadCount(kMinInitializerBytes));
    for (uint32_t i = 0; i < initializer_count; ++i) graph.initializers.push_back(TRY(ReadInitializer()));
    uint32_t node_count = TRY(reader_.ReadCount(kMinNodeBytes));
    if (node_count > kMaxNodes) return Malformed("the graph has too many nodes");
    for (uint32_t i = 0; i < node_count; ++i) {
      Result<Node> node = ReadNode();
      if (!node.ok()) return Annotate(std::move(node).error(), "node " + std::to_string(i));
      graph.nodes.push_back(std::move(node).value());
    }
    TRY(reader_.ExpectEnd());
    return graph;
  }

 private:
  Status ReadNames(std::vector<std::string>& names, size_t max_count) {
    uint32_t count = TRY(reader_.ReadCount(kMinStringBytes));
    if (count > max_count) return Malformed("the graph has too many names");
    for (uint32_t i = 0; i < count; ++i) names.push_back(TRY(reader_.ReadString(kMaxNameBytes)));
    return {};
  }

  Result<std::vector<ValueId>> ReadValues() {
    std::vector<ValueId> values(TRY(reader_.ReadCount(sizeof(ValueId))));
    for (ValueId& value : values) value = TRY(reader_.ReadNumber<uint32_t>());
    return values;
  }

  Result<Shape> ReadExtents() {
    uint8_t rank = TRY(reader_.ReadNumber<uint8_t>());
    if (rank > kMaxRank) return Malformed("rank " + std::to_string(rank) + " exceeds " + std::to_string(kMaxRank));
    Shape shape(rank);
    for (int64_t& extent : shape) extent = TRY(reader_.ReadNumber<int64_t>());
    return shape;
  }

  Result<GraphInput> ReadInput() {
    GraphInput input;
    input.value = TRY(reader_.ReadNumber<uint32_t>());
    input.dtype = TRY(ReadDType(reader_));
    for (int64_t extent : TRY(ReadExtents())) {
      if (extent < -static_cast<int64_t>(kMaxSymbols)) return Malformed("a shape names an unknown symbol");
      input.shape.push_back(extent < 0 ? Dim::Symbol(static_cast<uint32_t>(-1 - extent)) : Dim::Constant(extent));
    }
    return input;
  }

  Result<Initializer> ReadInitializer() {
    Initializer initializer;
    initializer.value = TRY(reader_.ReadNumber<uint32_t>());
    initializer.type.dtype = TRY(ReadDType(reader_));
    initializer.type.shape = TRY(ReadExtents());
    DataPlace place = TRY(ReadEnum<DataPlace>(reader_, "the place of an initializer's data"));
    if (place == DataPlace::kInline) initializer.data = TRY(ReadInlineData(initializer.type));
    if (place != DataPlace::kAccelerator) return initializer;
    initializer.weight = TRY(reader_.ReadNumber<uint64_t>());
    if (initializer.weight == kNoWeight) return Malformed("an initializer has weight id 0");
    return initializer;
  }

  Result<std::shared_ptr<const Tensor>> ReadInlineData(const TensorType& type) {
    size_t size_bytes = TRY(SizeBytes(type));
    if (size_bytes > kInlineBytes) return Malformed("inline data exceeds " + std::to_string(kInlineBytes) + " bytes");
    std::span<const std::byte> bytes = TRY(reader_.ReadBytes(size_bytes));
    Tensor tensor = TRY(Tensor::Allocate(type));
    std::ranges::copy(bytes, tensor.mutable_bytes().begin());
    return std::make_shared<const Tensor>(std::move(tensor));
  }

  Result<Node> ReadNode() {
    std::string name = TRY(reader_.ReadString(kMaxNameBytes));
    uint8_t number = TRY(reader_.ReadNumber<uint8_t>());
    std::vector<ValueId> inputs = TRY(ReadValues());
    std::vector<ValueId> outputs = TRY(ReadValues());
    Op op = TRY(ReadOp(reader_, number));
    return Node{std::move(name), std::move(op), std::move(inputs), std::move(outputs)};
  }

  Reader reader_;
};

using ReadFunction = std::function<Status(std::span<std::byte>)>;

Status ReadPadding(const ReadFunction& read, size_t size_bytes) {
  std::byte padding[kGraphAlignment];
  std::span<std::byte> bytes = std::span(padding).first(PaddingAfter(size_bytes));
  if (bytes.empty()) return {};
  TRY(read(bytes));
  if (std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; }))
    return Malformed("padding is not zero");
  return {};
}

// ReadPieces reads `size_bytes` that the input claims to have, allocating at most twice what it really has. Small
// parameters are among them, so they lie where tensors do.
Result<Buffer> ReadPieces(const ReadFunction& read, size_t size_bytes) {
  constexpr size_t kPieceBytes = size_t{1} << 20;
  Buffer bytes;
  while (bytes.size() < size_bytes) {
    Buffer larger = TRY(TryBuffer(std::min(size_bytes, std::max(kPieceBytes, 2 * bytes.size()))));
    std::ranges::copy(bytes.bytes(), larger.bytes().begin());
    TRY(read(larger.bytes().subspan(bytes.size())));
    bytes = std::move(larger);
  }
  return bytes;
}

Result<std::shared_ptr<const Tensor>> ReadData(const ReadFunction& read, const TensorType& type) {
  if (TRY(SizeBytes(type)) <= kInlineBytes) return Malformed("small data stands outside the structure");
  Tensor tensor = TRY(Tensor::Allocate(type));
  TRY(read(tensor.mutable_bytes()));
  TRY(ReadPadding(read, tensor.bytes().size()));
  return std::make_shared<const Tensor>(std::move(tensor));
}

Status RequireDataWithin(const Graph& graph, uint64_t max_data_bytes) {
  uint64_t claimed = 0;
  for (uint32_t index : StreamedInitializers(graph)) {
    uint64_t size_bytes = TRY(SizeBytes(graph.initializers[index].type));
    if (size_bytes > max_data_bytes - claimed)
      return Exhausted("the initializers claim more than the " + std::to_string(max_data_bytes) +
                       " bytes that there can be");
    claimed += size_bytes;
  }
  return {};
}

}  // namespace

Result<ValidatedGraph> DecodeStructure(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxStructureBytes) return Malformed("the structure is larger than 64 MiB");
  Graph graph = TRY(StructureReader(bytes).Run());
  return ValidatedGraph::Validate(std::move(graph));
}

Result<ValidatedGraph> DecodeGraph(const ReadFunction& read, uint64_t max_data_bytes) {
  std::byte header[kGraphHeaderBytes];
  TRY(read(header));
  Reader reader(header);
  std::span<const std::byte> magic = TRY(reader.ReadBytes(kGraphMagic.size()));
  if (!std::ranges::equal(magic, std::as_bytes(std::span(kGraphMagic)))) return Malformed("this is not a graph");
  uint64_t structure_bytes = TRY(reader.ReadNumber<uint64_t>());
  if (structure_bytes > kMaxStructureBytes) return Malformed("the structure is larger than 64 MiB");
  Buffer structure = TRY(ReadPieces(read, structure_bytes));
  TRY(ReadPadding(read, kGraphHeaderBytes + structure.size()));
  Graph graph = TRY(DecodeStructure(structure.bytes())).Take();
  TRY(RequireDataWithin(graph, max_data_bytes));
  for (uint32_t index : StreamedInitializers(graph)) {
    Initializer& initializer = graph.initializers[index];
    Result<std::shared_ptr<const Tensor>> data = ReadData(read, initializer.type);
    if (!data.ok()) return Annotate(std::move(data).error(), "initializer " + std::to_string(index));
    initializer.data = std::move(data).value();
  }
  return ValidatedGraph::Validate(std::move(graph));
}

Result<ValidatedGraph> DecodeGraph(std::span<const std::byte> encoded) {
  Reader reader(encoded);
  auto read = [&reader](std::span<std::byte> target) -> Status {
    std::ranges::copy(TRY(reader.ReadBytes(target.size())), target.begin());
    return {};
  };
  Result<ValidatedGraph> graph = DecodeGraph(read, encoded.size());
  if (!graph.ok() && graph.error().code == ErrorCode::kExhausted) return Malformed(graph.error().message);
  if (graph.ok()) TRY(reader.ExpectEnd());
  return graph;
}

}  // namespace soter
