#include "owner/seal_model.h"

#include "common/base/bytes.h"
#include "common/base/file.h"

namespace soter {
namespace {

constexpr mode_t kSecretMode = 0600;
constexpr mode_t kPublicMode = 0644;

// Puts the file's name before an error, for one who has several.
template <typename T>
Result<T> About(const std::string& path, Result<T> result) {
  if (result.ok()) return result;
  return Annotate(std::move(result).error(), path);
}

Status WriteNewFile(const std::string& path, std::span<const std::byte> content, mode_t mode) {
  OutputFile file = TRY(OutputFile::Create(path, mode));
  TRY(file.Write(content));
  return file.CommitNew();
}

Result<std::vector<AgeRecipient>> ParseRecipients(const std::vector<std::string>& texts) {
  std::vector<AgeRecipient> recipients;
  for (const std::string& text : texts) recipients.push_back(TRY(About(text, AgeRecipient::Parse(text))));
  return recipients;
}

Result<MinisignSecretKey> ReadSigningKey(const std::string& path) {
  SecretBytes text = TRY(ReadFile(path, kMaxKeyFileBytes));
  return About(path, MinisignSecretKey::Parse(AsText(text.Expose())));
}

Result<MinisignPublicKey> ReadSigner(const std::string& path) {
  SecretBytes text = TRY(ReadFile(path, kMaxKeyFileBytes));
  return About(path, MinisignPublicKey::Parse(AsText(text.Expose())));
}

// What opening a file needs: the request for OpenSealedModel refers to the other members.
struct OpenInputs {
  InputFile file;
  std::vector<AgeIdentity> identities;
  MinisignPublicKey signer;
  SecretBytes signature;

  OpenRequest Request(const std::optional<ReleaseTerms>& terms) const {
    return {.identities = identities, .signer = signer, .signature = AsText(signature.Expose()), .terms = terms};
  }
};

Result<OpenInputs> ReadInputs(const OpenFileRequest& request) {
  SecretBytes identity_text = TRY(ReadFile(request.identity_path, kMaxKeyFileBytes));
  std::vector<AgeIdentity> identities =
      TRY(About(request.identity_path, ParseAgeIdentities(AsText(identity_text.Expose()))));
  MinisignPublicKey signer = TRY(ReadSigner(request.signer_path));
  InputFile file = TRY(InputFile::Open(request.path));
  SecretBytes signature = TRY(ReadFile(SignaturePath(request.path), kMaxSignatureBytes));
  return OpenInputs{std::move(file), std::move(identities), signer, std::move(signature)};
}

// The model goes first: a crash between the two leaves a pair that does not verify.
Status CommitPair(OutputFile sealed, const std::string& path, const MinisignSignature& signature) {
  OutputFile signature_file = TRY(OutputFile::Create(SignaturePath(path), kPublicMode));
  TRY(signature_file.Write(AsBytes(signature.ToText())));
  TRY(sealed.Commit());
  return signature_file.Commit();
}

}  // namespace

std::string SignaturePath(const std::string& sealed_path) { return sealed_path + ".minisig"; }

Result<std::string> MakeIdentityFile(const std::string& path) {
  AgeIdentity identity = TRY(AgeIdentity::Generate());
  std::string recipient = identity.recipient().ToText();
  std::string comment = "# public key: " + recipient + "\n";
  SecretBytes secret = identity.ToText();
  OutputFile file = TRY(OutputFile::Create(path, kSecretMode));
  TRY(file.Write(AsBytes(comment)));
  TRY(file.Write(secret.Expose()));
  TRY(file.Write(AsBytes("\n")));
  TRY(file.CommitNew());
  return recipient;
}

Result<std::string> MakeSigningKeyFiles(const std::string& secret_path, const std::string& public_path) {
  MinisignSecretKey key = TRY(MinisignSecretKey::Generate());
  SecretBytes secret = key.ToText();
  TRY(WriteNewFile(secret_path, secret.Expose(), kSecretMode));
  TRY(WriteNewFile(public_path, AsBytes(key.Public().ToText()), kPublicMode));
  return MinisignKeyIdText(key.id());
}

Status SealModelFile(const SealFileRequest& request, const ContentWriter& write_content) {
  std::vector<AgeRecipient> recipients = TRY(ParseRecipients(request.recipients));
  MinisignSecretKey signer = TRY(ReadSigningKey(request.signing_key_path));
  OutputFile sealed = TRY(OutputFile::Create(request.output_path, kPublicMode));
  SealRequest seal = {.policy = request.policy, .recipients = recipients, .signer = signer};
  MinisignSignature signature = TRY(
      SealModel(seal, write_content, [&sealed](std::span<const std::byte> bytes) { return sealed.Write(bytes); }));
  return CommitPair(std::move(sealed), request.output_path, signature);
}

Result<OpenedModel> OpenSealedModelFile(const OpenFileRequest& request) {
  OpenInputs inputs = TRY(ReadInputs(request));
  return About(request.path,
               OpenSealedModel(inputs.file.Source(), inputs.file.size_bytes, inputs.Request(request.terms)));
}

Status ResealModelFile(const ResealFileRequest& request) {
  std::vector<AgeRecipient> recipients = TRY(ParseRecipients(request.recipients));
  MinisignSecretKey signer = TRY(ReadSigningKey(request.signing_key_path));
  OpenInputs inputs = TRY(ReadInputs(request.open));
  OpenRequest open = inputs.Request(request.open.terms);
  OutputFile sealed = TRY(OutputFile::Create(request.output_path, kPublicMode));
  MinisignSignature signature = TRY(About(
      request.open.path, ResealModel(inputs.file.Source(), {.open = open, .recipients = recipients, .signer = signer},
                                     [&sealed](std::span<const std::byte> bytes) { return sealed.Write(bytes); })));
  return CommitPair(std::move(sealed), request.output_path, signature);
}

Result<SealedModelInfo> InspectSealedModelFile(const std::string& path, const std::string& signer_path) {
  std::optional<MinisignPublicKey> signer;
  if (!signer_path.empty()) signer = TRY(ReadSigner(signer_path));
  InputFile file = TRY(InputFile::Open(path));
  SecretBytes signature = TRY(ReadFile(SignaturePath(path), kMaxSignatureBytes));
  return About(path, InspectSealedModel(file.Source(), file.size_bytes, AsText(signature.Expose()),
                                        signer ? &*signer : nullptr));
}

}  // namespace soter
