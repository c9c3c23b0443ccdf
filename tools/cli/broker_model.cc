#include "tools/cli/broker_model.h"

#include <algorithm>

#include "broker/release_policy.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "owner/seal_model.h"
#include "tools/cli/named_files.h"
#include "tools/cli/options.h"
#include "trusted/crypto/hash.h"
#include "trusted/seal/sealed_stream.h"

namespace soter {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

struct ModelFacts {
  ModelComment comment;
  ModelPolicy policy;
};

Result<std::string> ReadText(const std::string& path) {
  SecretBytes bytes = TRY(NamedByUser(ReadFile(path, kMaxKeyFileBytes)));
  return std::string(AsText(bytes.Expose()));
}

template <typename T>
Result<T> InFile(Result<T> result, const std::string& path) {
  if (result.ok()) return result;
  return Annotate(std::move(result).error(), path);
}

// Decrypts and digests everything, and keeps the policy at its front.
Result<ModelFacts> ReadFacts(const std::string& path, const OpenRequest& request) {
  InputFile file = TRY(NamedByUser(InputFile::Open(path)));
  SealedStream stream = TRY(SealedStream::Start(file.Source(), request));
  std::vector<std::byte> front, buffer(kBufferBytes);
  Sha256 plaintext;
  while (size_t size = TRY(stream.Read(buffer))) {
    plaintext.Update(std::span(buffer).first(size));
    size_t kept = std::min(size, kMaxPolicyBytes - std::min(front.size(), kMaxPolicyBytes));
    front.insert(front.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(kept));
  }
  ModelComment comment = TRY(stream.Finish(std::move(plaintext).Finish()));
  DecodedPolicy decoded = TRY(DecodePolicy(front));
  if (decoded.policy.name != comment.name || decoded.policy.version != comment.version)
    return AuthError("name and version inside are others than in the signature");
  return ModelFacts{comment, decoded.policy};
}

bool IsSchemeName(const std::string& name) {
  for (int scheme = 0; scheme <= static_cast<int>(control::Scheme::kLast); ++scheme)
    if (name == SchemeName(static_cast<control::Scheme>(scheme))) return true;
  return false;
}

bool IsCheckName(const std::string& name) {
  for (int check = 0; check <= static_cast<int>(control::Check::kLast); ++check)
    if (name == CheckName(static_cast<control::Check>(check))) return true;
  return false;
}

// Sets what the enclave is told: the policy's wish, or the model's own.
Status SetProtection(const ReleasePolicy& policy, const ModelPolicy& model, Resource& resource) {
  resource.min_scheme = policy.min_scheme.empty() ? SchemeName(model.min_scheme) : policy.min_scheme;
  resource.min_check = policy.min_check.empty() ? CheckName(model.min_check) : policy.min_check;
  if (!IsSchemeName(resource.min_scheme)) return InvalidArgument("min_scheme: there is no scheme " + resource.min_scheme);
  if (!IsCheckName(resource.min_check)) return InvalidArgument("min_check: there is no check " + resource.min_check);
  if (SchemeStrength(SchemeFromName(resource.min_scheme)) < SchemeStrength(model.min_scheme))
    return InvalidArgument("min_scheme is weaker than the model's own, " + std::string(SchemeName(model.min_scheme)));
  if (CheckStrength(CheckFromName(resource.min_check)) < CheckStrength(model.min_check))
    return InvalidArgument("min_check is weaker than the model's own, " + std::string(CheckName(model.min_check)));
  if (model.version < policy.min_version)
    return InvalidArgument("min_version is " + std::to_string(policy.min_version) + ", and the model is version " +
                           std::to_string(model.version));
  return {};
}

// The second line of a minisign public key file, as -P takes it.
std::string OneLine(const MinisignPublicKey& key) {
  std::string text = key.ToText();
  size_t start = text.find('\n') + 1;
  return text.substr(start, text.find('\n', start) - start);
}

}  // namespace

Result<Resource> ReadBrokerModel(const BrokerModelFiles& files) {
  std::string policy_text = TRY(ReadText(files.policy));
  ReleasePolicy policy = TRY(InFile(ParseReleasePolicy(policy_text), files.policy));
  std::vector<AgeIdentity> identities = TRY(InFile(ParseAgeIdentities(TRY(ReadText(files.identity))), files.identity));
  if (identities.size() != 1) return InvalidArgument(files.identity + ": holds more than one identity, or none");
  MinisignPublicKey signer = TRY(InFile(MinisignPublicKey::Parse(TRY(ReadText(files.signer))), files.signer));
  std::string signature = TRY(ReadText(SignaturePath(files.model)));
  OpenRequest request = {.identities = identities, .signer = signer, .signature = signature};
  ModelFacts facts = TRY(InFile(ReadFacts(files.model, request), files.model));
  SecretBytes identity = identities[0].ToText();
  Resource resource = {.name = facts.comment.name,
                       .version = facts.comment.version,
                       .digest = EncodeHex(facts.comment.digest),
                       .identity = std::string(AsText(identity.Expose())),
                       .signer = OneLine(signer),
                       .policy = policy_text};
  Status set = SetProtection(policy, facts.policy, resource);
  if (!set.ok()) return Annotate(std::move(set).error(), files.policy);
  return resource;
}

}  // namespace soter
