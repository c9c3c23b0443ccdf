#include "audit/view/view.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/file.h"
#include "common/base/reader.h"
#include "common/compute/program.h"
#include "common/graph/codec.h"
#include "untrusted/npy/npy.h"

namespace soter::audit {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr size_t kMaxFileBytes = size_t{8} << 30;
constexpr std::string_view kSegment = "-segment-";  // between the numbers in the name of a run's folder

// Port is what segment.json says of one input or output.
struct Port {
  TensorType type;
  Layout layout;
};
struct Ports {
  std::vector<Port> inputs, outputs;
};

Result<Json> ReadJson(const fs::path& path) {
  SecretBytes bytes = TRY(ReadFile(path.string(), kMaxFileBytes));
  std::span<const std::byte> view = bytes.Expose();
  const char* text = reinterpret_cast<const char*>(view.data());
  Json json = Json::parse(text, text + view.size(), nullptr, false);
  if (json.is_discarded()) return Malformed(path.string() + ": is not JSON");
  return json;
}

Result<Port> PortFrom(const Json& json) {
  Port port{{DType::kFloat32, json.at("shape").get<Shape>()}, Layout::kDense};
  std::string dtype = json.at("dtype"), layout = json.at("layout");
  bool known = false;
  for (uint8_t number = 1; number <= static_cast<uint8_t>(DType::kBool); ++number)
    if (dtype == DTypeName(static_cast<DType>(number))) port.type.dtype = static_cast<DType>(number), known = true;
  if (!known) return Malformed("an unknown dtype: " + dtype);
  for (Layout candidate : {Layout::kDense, Layout::kNhwc, Layout::kNChw16c})
    if (layout == LayoutName(candidate)) return Port{port.type, candidate};
  return Malformed("an unknown layout: " + layout);
}

Result<Ports> ReadPorts(const fs::path& path) {
  Json json = TRY(ReadJson(path));
  Ports ports;
  try {
    for (const auto& [key, list] : {std::pair("inputs", &ports.inputs), std::pair("outputs", &ports.outputs)})
      for (const Json& json_port : json.at(key)) {
        Result<Port> port = PortFrom(json_port);
        if (!port.ok()) return Annotate(port.error(), path.string());
        list->push_back(std::move(*port));
      }
  } catch (const Json::exception& error) {
    return Malformed(path.string() + ": " + error.what());
  }
  return ports;
}

// ReadPort reads one recorded tensor and puts it into dense order.
Result<Tensor> ReadPort(const fs::path& path, const Port& port) {
  Tensor physical = TRY(ReadArray(path));
  if (physical.bytes().size() != TRY(LaidOutBytes(port.type, port.layout)))
    return Malformed(path.string() + ": has not the size that segment.json says");
  Tensor dense = TRY(Tensor::Allocate(port.type));
  if (port.layout == Layout::kDense) {
    std::ranges::copy(physical.bytes(), dense.mutable_bytes().begin());
  } else {
    Relayout(port.type, port.layout, physical.bytes().data(), Layout::kDense, dense.mutable_bytes().data());
  }
  return dense;
}

// NumberFrom reads a whole number without a sign or leading zeros.
std::optional<uint64_t> NumberFrom(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && (text.size() == 1 || text[0] != '0') ? std::optional(number) : std::nullopt;
}

// Numbered lists the entries of `directory` by the number that each name is, or begins with before `separator`. A directory that
// is not there has none. Errors: kMalformed (another name).
Result<std::map<uint64_t, fs::path>> Numbered(const fs::path& directory, std::string_view separator = {}) {
  std::map<uint64_t, fs::path> entries;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    std::string name = entry.path().filename().string();
    size_t end = separator.empty() ? name.size() : std::min(name.find(separator), name.size());
    std::optional<uint64_t> number = NumberFrom(std::string_view(name).substr(0, end));
    if (!number.has_value()) return Malformed(entry.path().string() + ": is not named by a number");
    if (!entries.emplace(*number, entry.path()).second)
      return Malformed(entry.path().string() + ": another has the same number");
  }
  return entries;
}

// CheckPorts holds what segment.json says against the graph.
Status CheckPorts(const StaticGraph& graph, const Ports& ports, const std::string& path) {
  const Graph& g = graph.graph();
  if (ports.inputs.size() != g.inputs.size() || ports.outputs.size() != g.outputs.size())
    return Malformed(path + ": has not as many inputs and outputs as the graph");
  for (const auto* list : {&ports.inputs, &ports.outputs})
    for (const Port& port : *list) {
      Result<size_t> bytes = LaidOutBytes(port.type, port.layout);
      if (!bytes.ok()) return Annotate(bytes.error(), path);
    }
  for (size_t i = 0; i < ports.inputs.size(); ++i)
    if (ports.inputs[i].type != graph.type(g.inputs[i].value))
      return Malformed(path + ": input " + std::to_string(i) + " is another in the graph");
  for (size_t i = 0; i < ports.outputs.size(); ++i)
    if (ports.outputs[i].type != graph.type(g.outputs[i]))
      return Malformed(path + ": output " + std::to_string(i) + " is another in the graph");
  return {};
}

uint64_t CountIn(const Json& json, const char* key) {
  auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

class ViewReader {
 public:
  explicit ViewReader(fs::path directory) : directory_(std::move(directory)) {}

  Result<View> Read() {
    std::error_code none;
    if (!fs::is_directory(directory_ / "weights", none) && !fs::is_directory(directory_ / "segments", none))
      return InvalidArgument(directory_.string() + ": is not a record of a worker (soter worker --record writes one)");
    for (const auto& [number, path] : TRY(Numbered(directory_ / "segments"))) TRY(AddSegment(number, path));
    for (const auto& [number, path] : TRY(Numbered(directory_ / "runs", kSegment))) TRY(AddRun(path));
    for (const auto& [number, path] : TRY(Numbered(directory_ / "queries"))) TRY(AddQuery(path));
    TRY(AddEvents());
    return std::move(view_);
  }

 private:
  Result<std::shared_ptr<const Tensor>> Weight(WeightId id) {
    std::shared_ptr<const Tensor>& weight = weights_[id];
    if (weight == nullptr)
      weight = std::make_shared<const Tensor>(TRY(ReadArray(directory_ / "weights" / (std::to_string(id) + ".npy"))));
    return weight;
  }

  Status AddSegment(uint64_t number, const fs::path& folder) {
    SecretBytes bytes = TRY(ReadFile((folder / "graph.bin").string(), kMaxFileBytes));
    Result<ValidatedGraph> decoded = DecodeGraph(bytes.Expose());
    if (!decoded.ok()) return Annotate(decoded.error(), (folder / "graph.bin").string());
    Graph graph = std::move(decoded).value().Take();
    for (Initializer& initializer : graph.initializers) {
      if (initializer.weight == kNoWeight) continue;
      initializer.data = TRY(Weight(initializer.weight));
      if (initializer.data->type() != initializer.type)
        return Malformed(folder.string() + ": weight " + std::to_string(initializer.weight) + " is " +
                         TypeString(initializer.data->type()) + ", the graph wants " + TypeString(initializer.type));
      initializer.weight = kNoWeight;
    }
    Ports ports = TRY(ReadPorts(folder / "segment.json"));
    std::vector<Shape> shapes;
    for (const Port& port : ports.inputs) shapes.push_back(port.type.shape);
    Result<ValidatedGraph> validated = ValidatedGraph::Validate(std::move(graph));
    if (!validated.ok()) return Annotate(validated.error(), folder.string());
    Result<StaticGraph> bound = Bind(*validated, shapes);
    if (!bound.ok()) return Annotate(bound.error(), folder.string());
    TRY(CheckPorts(*bound, ports, (folder / "segment.json").string()));
    place_of_[number] = view_.segments.size();
    view_.segments.push_back({std::move(bound).value()});
    ports_.push_back(std::move(ports));
    return {};
  }

  Status AddRun(const fs::path& folder) {
    std::string name = folder.filename().string();
    size_t at = name.find(kSegment);
    std::optional<uint64_t> number;
    if (at != std::string::npos) number = NumberFrom(std::string_view(name).substr(at + kSegment.size()));
    auto place = number.has_value() ? place_of_.find(*number) : place_of_.end();
    if (place == place_of_.end()) return Malformed(folder.string() + ": a run of a segment that is not in the record");
    SeenRun run{.segment = place->second};
    const Ports& ports = ports_[place->second];
    for (size_t i = 0; i < ports.inputs.size(); ++i)
      run.inputs.push_back(TRY(ReadPort(folder / ("input-" + std::to_string(i) + ".npy"), ports.inputs[i])));
    for (size_t i = 0; i < ports.outputs.size(); ++i)
      run.outputs.push_back(TRY(ReadPort(folder / ("output-" + std::to_string(i) + ".npy"), ports.outputs[i])));
    view_.runs.push_back(std::move(run));
    return {};
  }

  Status AddQuery(const fs::path& folder) {
    OwnQuery query;
    auto read_all = [&](const std::string& kind, std::vector<Tensor>& tensors) -> Status {
      for (size_t i = 0; fs::exists(folder / (kind + std::to_string(i) + ".npy")); ++i)
        tensors.push_back(TRY(ReadArray(folder / (kind + std::to_string(i) + ".npy"))));
      return {};
    };
    TRY(read_all("input-", query.inputs));
    TRY(read_all("output-", query.outputs));
    view_.queries.push_back(std::move(query));
    return {};
  }

  Status AddEvents() {
    std::ifstream file(directory_ / "events.jsonl");
    for (std::string line; std::getline(file, line);) {
      Json json = Json::parse(line, nullptr, false);
      if (!json.is_object()) return Malformed((directory_ / "events.jsonl").string() + ": a line is not a JSON object");
      auto what = json.find("event");
      if (what == json.end() || !what->is_string())
        return Malformed((directory_ / "events.jsonl").string() + ": a line does not say which event");
      view_.events.push_back({what->get<std::string>(), CountIn(json, "number"), CountIn(json, "size_bytes"),
                              static_cast<int64_t>(CountIn(json, "time_ns"))});
    }
    return {};
  }

  fs::path directory_;
  View view_;
  std::map<WeightId, std::shared_ptr<const Tensor>> weights_;
  std::map<uint64_t, size_t> place_of_;
  std::vector<Ports> ports_;
};

}  // namespace

const SeenRun* View::RunOf(size_t segment, size_t query) const {
  for (const SeenRun& run : runs)
    if (run.segment == segment && query-- == 0) return &run;
  return nullptr;
}

size_t View::QueryCount() const {
  std::vector<size_t> counts(segments.size(), 0);
  for (const SeenRun& run : runs) ++counts[run.segment];
  return counts.empty() ? queries.size() : *std::ranges::max_element(counts);
}

Result<View> ReadView(const fs::path& directory) { return ViewReader(directory).Read(); }

Result<Tensor> ReadArray(const fs::path& path) {
  SecretBytes bytes = TRY(ReadFile(path.string(), kMaxFileBytes));
  Result<Tensor> tensor = DecodeNpy(bytes.Expose());
  if (!tensor.ok()) return Annotate(tensor.error(), path.string());
  return tensor;
}

Status WriteArray(const fs::path& path, TensorView tensor) {
  std::string header = NpyHeader(tensor.type);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(reinterpret_cast<const char*>(tensor.bytes.data()), static_cast<std::streamsize>(tensor.bytes.size()));
  file.close();
  if (!file) return Unavailable("cannot write " + path.string());
  return {};
}

Status WriteOwnQuery(const fs::path& directory, size_t query, const OwnQuery& own) {
  fs::path folder = directory / "queries" / std::to_string(query);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Unavailable("cannot make " + folder.string() + ": " + error.message());
  for (size_t i = 0; i < own.inputs.size(); ++i)
    TRY(WriteArray(folder / ("input-" + std::to_string(i) + ".npy"), own.inputs[i].view()));
  for (size_t i = 0; i < own.outputs.size(); ++i)
    TRY(WriteArray(folder / ("output-" + std::to_string(i) + ".npy"), own.outputs[i].view()));
  return {};
}

}  // namespace soter::audit
