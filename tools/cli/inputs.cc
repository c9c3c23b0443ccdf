#include "tools/cli/inputs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <random>

#include "tools/cli/npy.h"

namespace soter {

namespace {

constexpr int64_t kMaxExtent = int64_t{1} << 32;

const std::string& InputName(const Graph& graph, const GraphInput& input) { return graph.value_names[input.value]; }

std::string InputType(const Graph& graph, const GraphInput& input) {
  std::string text = std::string(DTypeName(input.dtype)) + "[";
  for (size_t i = 0; i < input.shape.size(); ++i) {
    const Dim& dim = input.shape[i];
    if (i > 0) text += ", ";
    text += dim.is_symbol() ? graph.symbols[dim.symbol()] : std::to_string(dim.extent());
  }
  return text + "]";
}

std::string Quoted(const std::string& name) { return "\"" + name + "\""; }

// Extents holds what is known of the symbols so far.
class Extents {
 public:
  explicit Extents(const Graph& graph) : graph_(graph), extents_(graph.symbols.size()) {}

  Status Set(const std::string& option) {
    size_t equals = option.rfind('=');
    std::string name = option.substr(0, equals);
    int64_t extent = 0;
    bool parsed = false;
    if (equals != std::string::npos) {
      const char* end = option.data() + option.size();
      auto [stop, error] = std::from_chars(option.data() + equals + 1, end, extent);
      parsed = error == std::errc() && stop == end;
    }
    if (!parsed || extent < 1 || extent > kMaxExtent) {
      return InvalidArgument("--dim " + option + ": give SYMBOL=EXTENT, an extent of at least 1");
    }
    auto symbol = std::find(graph_.symbols.begin(), graph_.symbols.end(), name);
    if (symbol == graph_.symbols.end()) return InvalidArgument("--dim " + option + ": " + KnownSymbols());
    extents_[static_cast<size_t>(symbol - graph_.symbols.begin())] = extent;
    return {};
  }

  // Accept tells whether `extent` fits `dim`, and remembers it for a symbol.
  bool Accept(const Dim& dim, int64_t extent) {
    if (!dim.is_symbol()) return dim.extent() == extent;
    std::optional<int64_t>& known = extents_[dim.symbol()];
    if (!known.has_value()) known = extent;
    return *known == extent && extent >= 1;
  }

  Shape Resolve(const GraphInput& input) const {
    Shape shape;
    for (const Dim& dim : input.shape) {
      shape.push_back(dim.is_symbol() ? extents_[dim.symbol()].value_or(1) : dim.extent());
    }
    return shape;
  }

 private:
  std::string KnownSymbols() const {
    if (graph_.symbols.empty()) return "the model has no symbolic dimension";
    std::string text = "the model's symbolic dimensions are";
    for (const std::string& symbol : graph_.symbols) text += " " + symbol;
    return text;
  }

  const Graph& graph_;
  std::vector<std::optional<int64_t>> extents_;
};

// SplitOption finds the input that NAME=FILE means.
Result<std::pair<const GraphInput*, std::string>> SplitOption(const Graph& graph, const std::string& option) {
  size_t equals = option.find('=');
  for (; equals != std::string::npos; equals = option.find('=', equals + 1)) {  // a name may hold a '=' itself
    std::string name = option.substr(0, equals);
    for (const GraphInput& input : graph.inputs) {
      if (InputName(graph, input) == name) return std::pair{&input, option.substr(equals + 1)};
    }
  }
  if (graph.inputs.size() == 1 && option.find('=') == std::string::npos) return std::pair{&graph.inputs[0], option};
  return InvalidArgument("--input " + option + ": no input has that name; the model wants " + InputList(graph));
}

template <typename T>
std::optional<size_t> FirstNotFinite(const Tensor& tensor) {
  std::span<const T> values = tensor.As<T>();
  auto bad = std::find_if(values.begin(), values.end(), [](T value) { return !std::isfinite(value); });
  if (bad == values.end()) return std::nullopt;
  return static_cast<size_t>(bad - values.begin());
}

Status CheckFinite(const std::string& name, const Tensor& tensor) {
  std::optional<size_t> bad;
  if (tensor.dtype() == DType::kFloat32) bad = FirstNotFinite<float>(tensor);
  if (tensor.dtype() == DType::kFloat64) bad = FirstNotFinite<double>(tensor);
  if (!bad.has_value()) return {};
  return InvalidArgument("input " + Quoted(name) + ": element " + std::to_string(*bad) +
                         " is NaN or infinite, which no result could be checked against; give finite numbers");
}

Result<Tensor> ReadInput(const Graph& graph, const GraphInput& input, const std::string& file, Extents& extents) {
  Tensor tensor = TRY(ReadNpyFile(file));
  const std::string& name = InputName(graph, input);
  bool fits = tensor.dtype() == input.dtype && tensor.shape().size() == input.shape.size();
  for (size_t i = 0; fits && i < input.shape.size(); ++i) fits = extents.Accept(input.shape[i], tensor.shape()[i]);
  if (!fits) {
    return InvalidArgument("input " + Quoted(name) + ": " + file + " holds " + TypeString(tensor.type()) +
                           ", the model wants " + InputType(graph, input));
  }
  TRY(CheckFinite(name, tensor));
  return tensor;
}

template <typename T, typename Distribution>
void Fill(Tensor& tensor, Distribution distribution, std::mt19937_64& generator) {
  for (T& value : tensor.MutableAs<T>()) value = static_cast<T>(distribution(generator));
}

Result<Tensor> RandomTensor(TensorType type, std::mt19937_64& generator) {
  Tensor tensor = TRY(Tensor::Allocate(type));
  std::uniform_int_distribution<int> digit(0, 9), bit(0, 1);
  switch (type.dtype) {
    case DType::kFloat32: Fill<float>(tensor, std::normal_distribution<float>(), generator); break;
    case DType::kFloat64: Fill<double>(tensor, std::normal_distribution<double>(), generator); break;
    case DType::kInt8: Fill<int8_t>(tensor, digit, generator); break;
    case DType::kUint8: Fill<uint8_t>(tensor, digit, generator); break;
    case DType::kInt32: Fill<int32_t>(tensor, digit, generator); break;
    case DType::kInt64: Fill<int64_t>(tensor, digit, generator); break;
    case DType::kBool: Fill<bool>(tensor, bit, generator); break;
    case DType::kFloat16: return Unsupported("random float16 inputs; give --input");
  }
  return tensor;
}

struct Chosen {
  std::vector<std::optional<Tensor>> tensors;  // from files
  Extents extents;
};

Result<Chosen> ReadAll(const Graph& graph, const InputOptions& options) {
  Chosen chosen{std::vector<std::optional<Tensor>>(graph.inputs.size()), Extents(graph)};
  for (const std::string& dim : options.dims) TRY(chosen.extents.Set(dim));
  for (const std::string& option : options.files) {
    auto [input, file] = TRY(SplitOption(graph, option));
    auto index = static_cast<size_t>(input - graph.inputs.data());
    if (chosen.tensors[index].has_value()) {
      return InvalidArgument("input " + Quoted(InputName(graph, *input)) + " is given twice");
    }
    chosen.tensors[index] = TRY(ReadInput(graph, *input, file, chosen.extents));
  }
  return chosen;
}

}  // namespace

std::string InputList(const Graph& graph) {
  std::string text;
  for (const GraphInput& input : graph.inputs) {
    if (!text.empty()) text += ", ";
    text += InputName(graph, input) + ": " + InputType(graph, input);
  }
  return text;
}

Result<std::vector<Tensor>> ChooseInputs(const Graph& graph, const InputOptions& options) {
  Chosen chosen = TRY(ReadAll(graph, options));
  std::mt19937_64 generator(options.random_seed);
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!chosen.tensors[i].has_value()) {
      if (!options.random) {
        return InvalidArgument("input " + Quoted(InputName(graph, graph.inputs[i])) +
                               " is missing; give --input NAME=FILE.npy for each, or --random; the model wants " +
                               InputList(graph));
      }
      TensorType type{graph.inputs[i].dtype, chosen.extents.Resolve(graph.inputs[i])};
      Result<Tensor> random = RandomTensor(type, generator);
      if (!random.ok())
        return Annotate(random.error(), "input " + Quoted(InputName(graph, graph.inputs[i])) + " of " + TypeString(type));
      chosen.tensors[i] = std::move(random).value();
    }
    tensors.push_back(std::move(*chosen.tensors[i]));
  }
  return tensors;
}

Result<std::vector<Shape>> ChooseShapes(const Graph& graph, const InputOptions& options) {
  Chosen chosen = TRY(ReadAll(graph, options));
  std::vector<Shape> shapes;
  for (const GraphInput& input : graph.inputs) shapes.push_back(chosen.extents.Resolve(input));
  return shapes;
}

}  // namespace soter
