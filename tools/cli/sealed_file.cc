#include "tools/cli/sealed_file.h"

#include <algorithm>

#include "common/base/bytes.h"
#include "common/base/secret.h"
#include "owner/seal_model.h"
#include "tools/cli/named_files.h"

namespace soter {

namespace {

constexpr std::string_view kAgeMagic = "age-encryption.org/v1\n";

Result<std::string> ReadText(const std::string& path, size_t max_bytes) {
  SecretBytes bytes = TRY(NamedByUser(ReadFile(path, max_bytes)));
  return std::string(AsText(bytes.Expose()));
}

uint32_t SymbolIndex(Graph& graph, const std::string& symbol) {
  auto found = std::find(graph.symbols.begin(), graph.symbols.end(), symbol);
  auto index = static_cast<uint32_t>(found - graph.symbols.begin());
  if (found == graph.symbols.end()) graph.symbols.push_back(symbol);
  return index;
}

}  // namespace

Result<bool> IsSealed(const std::string& path, const KeyOptions& keys) {
  std::string start(kAgeMagic.size(), '\0');
  bool is_sealed = false;
  Result<InputFile> file = InputFile::Open(path);
  if (file.ok()) {
    Result<size_t> size = ReadFull(file->Source(), std::as_writable_bytes(std::span(start)));
    is_sealed = size.ok() && start == kAgeMagic;
  }
  if (!is_sealed && !(keys.identity.empty() && keys.signer.empty())) {
    return InvalidArgument(path + " is not a sealed model; --identity and --signer are for those");
  }
  return is_sealed;
}

Result<SealedFile> SealedFile::Open(const std::string& path, const KeyOptions& keys) {
  if (keys.identity.empty() || keys.signer.empty()) {
    return InvalidArgument(path + " is sealed: give --identity FILE, the key that opens it, and --signer FILE, the "
                           "public key of who signed it");
  }
  SealedFile sealed(path, TRY(NamedByUser(InputFile::Open(path))));
  sealed.announcement_.signature = TRY(ReadText(SignaturePath(path), kMaxSignatureBytes));
  sealed.announcement_.signer = TRY(ReadText(keys.signer, kMaxKeyFileBytes));
  sealed.announcement_.identity = TRY(ReadText(keys.identity, kMaxKeyFileBytes));
  sealed.announcement_.ciphertext_bytes = sealed.file_.size_bytes;
  return sealed;
}

Result<control::ModelReport> SealedFile::SendTo(EnclaveSession& session) {
  Result<control::ModelReport> report = session.SendSealedModel(announcement_, file_.Source());
  Wipe(std::as_writable_bytes(std::span(announcement_.identity)));
  if (!report.ok()) return Annotate(report.error(), path_);
  return report;
}

Result<Graph> InputsOf(const control::ModelReport& report) {
  Graph graph;
  for (const control::PortInfo& port : report.inputs) {
    GraphInput input{graph.AddValue(port.name), port.dtype, {}};
    for (size_t i = 0; i < port.shape.size(); ++i) {
      bool is_symbol = !port.symbols[i].empty();
      if (!is_symbol && port.shape[i] < 0) return Malformed("input " + port.name + ": an extent is below zero");
      input.shape.push_back(is_symbol ? Dim::Symbol(SymbolIndex(graph, port.symbols[i]))
                                      : Dim::Constant(port.shape[i]));
    }
    graph.inputs.push_back(std::move(input));
  }
  return graph;
}

}  // namespace soter
