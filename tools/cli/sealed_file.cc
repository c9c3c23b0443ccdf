#include "tools/cli/sealed_file.h"

#include <algorithm>
#include <filesystem>

#include "common/base/bytes.h"
#include "common/base/secret.h"
#include "owner/seal_model.h"
#include "tools/cli/named_files.h"

namespace soter {

namespace {

constexpr std::string_view kAgeMagic = "age-encryption.org/v1\n";
constexpr size_t kMaxCertificateFileBytes = 60 * 1024, kMaxLeaseFileBytes = 32 * 1024;

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
  if (!is_sealed && keys.any()) {
    return InvalidArgument(path + " is not a sealed model; --identity, --signer, --broker and --lease are for those");
  }
  return is_sealed;
}

Status SealedFile::ReadKeys(const KeyOptions& keys) {
  if (keys.identity.empty() || keys.signer.empty()) {
    return InvalidArgument(path_ + " is sealed: give --identity FILE, the key that opens it, and --signer FILE, the "
                           "public key of who signed it; or --broker URL, from which the enclave gets the key");
  }
  control::SealedModel model;
  model.signature = TRY(ReadText(SignaturePath(path_), kMaxSignatureBytes));
  model.signer = TRY(ReadText(keys.signer, kMaxKeyFileBytes));
  model.identity = TRY(ReadText(keys.identity, kMaxKeyFileBytes));
  model.ciphertext_bytes = file_.size_bytes;
  announcement_ = std::move(model);
  return {};
}

Status SealedFile::ReadBroker(const KeyOptions& keys) {
  control::BrokeredModel model{.broker = keys.broker, .kbs_version = keys.kbs_version, .resource = keys.resource,
                               .broker_timeout_ms = keys.broker_timeout_ms, .sample_evidence = keys.sample_evidence,
                               .keep_lease = !keys.lease.empty(), .ciphertext_bytes = file_.size_bytes};
  model.signature = TRY(ReadText(SignaturePath(path_), kMaxSignatureBytes));
  if (!keys.signer.empty()) model.signer = TRY(ReadText(keys.signer, kMaxKeyFileBytes));
  if (!keys.broker.empty()) model.broker_ca = TRY(ReadText(keys.broker_ca, kMaxCertificateFileBytes));
  lease_path_ = keys.lease;
  std::error_code error;
  if (!lease_path_.empty() && std::filesystem::exists(lease_path_, error)) {
    SecretBytes lease = TRY(NamedByUser(ReadFile(lease_path_, kMaxLeaseFileBytes)));
    model.lease.assign(lease.Expose().begin(), lease.Expose().end());
  } else if (keys.broker.empty()) {
    return InvalidArgument(lease_path_ + ": there is no lease; give --broker, which may grant one");
  }
  announcement_ = std::move(model);
  return {};
}

Result<SealedFile> SealedFile::Open(const std::string& path, const KeyOptions& keys) {
  SealedFile sealed(path, TRY(NamedByUser(InputFile::Open(path))));
  bool is_brokered = !keys.broker.empty() || !keys.lease.empty();
  TRY(is_brokered ? sealed.ReadBroker(keys) : sealed.ReadKeys(keys));
  return sealed;
}

Result<control::ModelReport> SealedFile::SendTo(EnclaveSession& session) {
  if (auto* brokered = std::get_if<control::BrokeredModel>(&announcement_)) {
    auto keep = [this](std::span<const std::byte> lease) -> Status {
      OutputFile file = TRY(NamedByUser(OutputFile::Create(lease_path_, 0600)));
      TRY(file.Write(lease));
      return file.Commit();
    };
    Result<control::ModelReport> report = session.SendBrokeredModel(*brokered, file_.Source(), keep);
    if (!report.ok()) return Annotate(report.error(), path_);
    return report;
  }
  auto& sealed = std::get<control::SealedModel>(announcement_);
  Result<control::ModelReport> report = session.SendSealedModel(sealed, file_.Source());
  Wipe(std::as_writable_bytes(std::span(sealed.identity)));
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
