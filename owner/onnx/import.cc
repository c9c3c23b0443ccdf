#include "owner/onnx/import.h"

#include "owner/onnx/convert.h"
#include "owner/onnx/model_file.h"

namespace soter {
namespace {

std::string Quoted(const std::string& name) { return "'" + name + "'"; }

// Importer turns one parsed model into a graph.
class Importer {
 public:
  Importer(ModelFile file, TensorReader* tensors, const ImportOptions& options, ImportReport* report)
      : file_(std::move(file)), tensors_(tensors), options_(options), report_(report), conversion_(tensors, report) {}

  Result<Graph> Run() {
    std::vector<SourceNode> nodes = TRY(TakeNodes(&file_.model));
    for (const SourceNode& node : nodes) {
      for (const std::string& input : node.proto.input()) conversion_.ExpectUse(input);
    }
    TRY(ReadGraphOutputs());
    TRY(ReadInitializers());
    TRY(ReadInputs());
    nodes = TRY(SortNodes(std::move(nodes), known_));
    for (SourceNode& node : nodes) TRY(Convert(&node));
    if (!report_->unsupported.empty()) return Summary();
    return Finish();
  }

 private:
  onnx::GraphProto& graph() { return *file_.model.mutable_graph(); }

  Status ReadGraphOutputs() {
    if (graph().output_size() == 0) return Malformed("the graph has no output");
    for (const auto& output : graph().output()) conversion_.MarkGraphOutput(output.name());
    return {};
  }

  Status ReadInitializers() {
    if (graph().sparse_initializer_size() > 0) {
      return Unsupported("initializer " + Quoted(graph().sparse_initializer(0).values().name()) +
                         " is sparse; store it as a dense tensor");
    }
    for (int i = 0; i < graph().initializer_size(); ++i) {
      onnx::TensorProto* proto = graph().mutable_initializer(i);
      const std::string name = proto->name();
      const int32_t data_type = proto->data_type();
      Result<Tensor> tensor = tensors_->Read(proto, file_.raw_data[i]);
      if (!tensor.ok()) return Annotate(std::move(tensor).error(), "initializer " + Quoted(name));
      if (WasConverted(data_type)) conversion_.AddNote(DataTypeName(data_type) + " weights are converted to float32");
      TRY(Define(name, conversion_.builder().AddConstant(std::move(*tensor), name)));
    }
    return {};
  }

  Status ReadInputs() {
    for (const auto& input : graph().input()) {
      // Before IR 4, initializers are listed as inputs too.
      if (conversion_.Constant(conversion_.Lookup(input.name())) != nullptr) continue;
      const auto fixed = options_.fixed_inputs.find(input.name());
      if (fixed != options_.fixed_inputs.end()) {
        TRY(Define(input.name(), conversion_.builder().AddConstant(fixed->second.Clone(), input.name())));
        continue;
      }
      Status status = ReadInput(input);
      if (!status.ok()) return Annotate(std::move(status).error(), "input " + Quoted(input.name()));
    }
    return {};
  }

  Status ReadInput(const onnx::ValueInfoProto& input) {
    if (!input.type().has_tensor_type()) return Unsupported("is not a tensor; only tensors are supported");
    const auto& type = input.type().tensor_type();
    const DType dtype = TRY(ImportedDType(type.elem_type()));
    if (WasConverted(type.elem_type())) conversion_.AddNote(DataTypeName(type.elem_type()) + " inputs are float32");
    if (!type.has_shape()) {
      return Unsupported("has no shape; export the model with a shape, symbolic where it varies");
    }
    if (type.shape().dim_size() > static_cast<int>(kMaxRank)) {
      return Unsupported("has rank " + std::to_string(type.shape().dim_size()) + "; at most " +
                         std::to_string(kMaxRank) + " is supported");
    }
    std::vector<Dim> shape;
    for (int i = 0; i < type.shape().dim_size(); ++i) {
      const auto& dim = type.shape().dim(i);
      if (dim.has_dim_value() && dim.dim_value() >= 0) {
        shape.push_back(Dim::Constant(dim.dim_value()));
      } else {
        // Some exporters write -1 for an extent that varies.
        const std::string unnamed = input.name() + "_dim" + std::to_string(i);
        shape.push_back(conversion_.builder().Symbol(dim.dim_param().empty() ? unnamed : dim.dim_param()));
      }
    }
    return Define(input.name(), conversion_.builder().AddInput(input.name(), dtype, std::move(shape)));
  }

  Status Define(const std::string& name, ValueId value) {
    if (name.empty()) return Malformed("an input or initializer has no name");
    if (conversion_.IsKnown(name)) return Malformed("two inputs or initializers are called " + Quoted(name));
    conversion_.Bind(name, value);
    known_.push_back(name);
    return {};
  }

  Status Convert(SourceNode* source) {
    OnnxNode node(source);
    const Converter converter = FindConverter(node.domain(), node.op_type());
    Status status = converter != nullptr ? ConvertWith(converter, node)
                                         : Unsupported(WhyUnsupported(node.domain(), node.op_type()));
    if (status.ok()) {
      for (const std::string& input : source->proto.input()) conversion_.FinishUse(input);
      return {};
    }
    if (converter != nullptr && ReadsUnknown(node)) return {};  // it only follows from an unsupported node before it
    if (status.error().code != ErrorCode::kUnsupported) return Annotate(std::move(status).error(), node.label());
    report_->unsupported.push_back({node.label(), node.op_type(), node.domain(), status.error().message});
    return {};
  }

  Status ConvertWith(Converter convert, const OnnxNode& node) {
    if (node.output_count() == 0) return Malformed("has no output");
    TRY(convert(conversion_, node));
    return node.CheckAllRead();
  }

  bool ReadsUnknown(const OnnxNode& node) const {
    for (size_t i = 0; i < node.input_count(); ++i) {
      if (!node.input(i).empty() && !conversion_.IsKnown(node.input(i))) return true;
    }
    return false;
  }

  Error Summary() const {
    const auto& nodes = report_->unsupported;
    std::string message = nodes[0].node + ": " + nodes[0].reason;
    if (nodes.size() > 1) message += " (and " + std::to_string(nodes.size() - 1) + " more nodes)";
    return Unsupported(std::move(message));
  }

  Result<Graph> Finish() {
    for (const auto& output : graph().output()) {
      const ValueId value = conversion_.Lookup(output.name());
      if (value == kNoValue) return Malformed("output " + Quoted(output.name()) + " is not defined by any node");
      conversion_.builder().AddOutput(value);
    }
    return std::move(conversion_.builder()).Take();
  }

  ModelFile file_;
  TensorReader* tensors_;
  const ImportOptions& options_;
  ImportReport* report_;
  Conversion conversion_;
  std::vector<std::string> known_;
};

Result<Graph> ImportSource(const ByteSource& source, ExternalData external, const ImportOptions& options,
                           ImportReport* report) {
  ImportReport unused;
  TensorReader tensors(source, &external);
  Importer importer(TRY(ReadModelFile(source)), &tensors, options, report != nullptr ? report : &unused);
  return importer.Run();
}

}  // namespace

Result<Graph> ImportOnnx(const std::filesystem::path& path, const ImportOptions& options, ImportReport* report) {
  const std::unique_ptr<FileSource> source = TRY(FileSource::Open(path));
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  Result<Graph> graph = ImportSource(*source, ExternalData(directory), options, report);
  if (!graph.ok()) return Annotate(std::move(graph).error(), path.string());
  return graph;
}

Result<Graph> ImportOnnxBytes(std::span<const std::byte> bytes, const ImportOptions& options, ImportReport* report) {
  return ImportSource(MemorySource(bytes), ExternalData({}), options, report);
}

}  // namespace soter
