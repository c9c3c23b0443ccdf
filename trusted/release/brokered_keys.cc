#include "trusted/release/brokered_keys.h"

#include <algorithm>
#include <ctime>

#include "trusted/engine/development_only.h"
#include "trusted/release/key_broker.h"
#include "trusted/release/lease.h"
#include "trusted/release/released_resource.h"

namespace soter {
namespace {

constexpr uint32_t kMaxTimeout_ms = 600'000;

SecretBytes Copy(const SecretBytes& bytes) {
  SecretBytes copy(bytes.Expose().size());
  std::ranges::copy(bytes.Expose(), copy.Expose().begin());
  return copy;
}

// The file is held against the terms again when it is opened; here a wrong one costs no start and no activation.
Status RequireModel(const ReleaseTerms& terms, const ModelComment& comment) {
  if (terms.name == comment.name && terms.version == comment.version && terms.digest == comment.digest) return {};
  return AuthError("the key was released for \"" + terms.name + "\" version " + std::to_string(terms.version) +
                   ", and this file is \"" + comment.name + "\" version " + std::to_string(comment.version) +
                   (terms.name == comment.name && terms.version == comment.version ? " of other contents" : ""));
}

Status RequireSigner(const std::string& expected, const std::string& released) {
  if (expected.empty()) return {};
  MinisignPublicKey wanted = TRY(MinisignPublicKey::Parse(expected)), got = TRY(MinisignPublicKey::Parse(released));
  if (wanted.id == got.id && wanted.key == got.key) return {};
  return AuthError("the key was released for a model that another key signs than --signer");
}

// Reads a resource for the model at hand. Errors: kAuth, whatever is wrong with it.
Result<ReleasedResource> Accept(SecretBytes text, const control::BrokeredModel& model, const ModelComment& comment) {
  Result<ReleasedResource> resource = DecodeReleasedResource(text);
  if (!resource.ok()) return AuthError(resource.error().message);
  TRY(RequireModel(resource->terms, comment));
  Status signer = RequireSigner(model.signer, resource->signer);
  if (!signer.ok()) return AuthError(signer.error().message);
  return resource;
}

ReleasedKey KeyOf(ReleasedResource resource) {
  return {std::move(resource.identity), std::move(resource.signer), std::move(resource.terms)};
}

Result<ReleasedKey> StartFromLease(const control::BrokeredModel& model, const ModelComment& comment, Platform& platform,
                                   const StoreLease& store_lease) {
  Lease lease = TRY(OpenLease(model.lease, platform));
  ReleasedResource resource = TRY(Accept(Copy(lease.resource), model, comment));
  TRY(UseLease(lease, ::time(nullptr)));
  TRY(store_lease(TRY(SealLease(lease, platform))));
  return KeyOf(std::move(resource));
}

Result<KeyBroker> BrokerOf(const control::BrokeredModel& model, PlatformKind platform) {
  bool may_be_sample = IsDevelopmentBuild() && platform == PlatformKind::kDev;
  if (model.sample_evidence && !may_be_sample)
    return InvalidArgument("sample evidence proves nothing: only development builds give it, in the development TEE");
  HttpsUrl url = TRY(ParseHttpsUrl(model.broker));
  auto anchors = TRY(ReadAnchors(model.broker_ca));
  return KeyBroker{.url = std::move(url),
                   .anchors = std::move(anchors),
                   .kbs_version = model.kbs_version,
                   .timeout = std::chrono::milliseconds(std::clamp(model.broker_timeout_ms, 1u, kMaxTimeout_ms)),
                   .sample_evidence = model.sample_evidence};
}

Status KeepLease(const LeaseGrant& grant, SecretBytes resource, Platform& platform, const StoreLease& store_lease) {
  Lease lease = {.starts_allowed = grant.starts, .starts_used = 0, .not_after_s = grant.not_after_s,
                 .resource = std::move(resource)};
  return store_lease(TRY(SealLease(lease, platform)));
}

Result<ReleasedKey> AskBroker(const control::BrokeredModel& model, const ModelComment& comment, Platform& platform,
                              const StoreLease& store_lease) {
  KeyBroker broker = TRY(BrokerOf(model, platform.kind()));
  std::string path = model.resource.empty() ? "models/" + comment.name + "/" + std::to_string(comment.version)
                                            : model.resource;
  SecretBytes text = TRY(FetchResource(broker, path, platform));
  SecretBytes to_keep = Copy(text);
  Result<ReleasedResource> resource = Accept(std::move(text), model, comment);
  if (!resource.ok()) return Annotate(resource.error(), "the broker at " + broker.url.authority);
  if (model.keep_lease && !resource->lease)
    return AuthError("the broker at " + broker.url.authority + " grants no lease of this model: start without --lease");
  if (model.keep_lease) TRY(KeepLease(*resource->lease, std::move(to_keep), platform, store_lease));
  return KeyOf(std::move(*resource));
}

}  // namespace

Result<ReleasedKey> BrokeredKeys::Release(const control::BrokeredModel& model, Platform& platform,
                                          const StoreLease& store_lease) {
  MinisignSignature signature = TRY(MinisignSignature::Parse(model.signature));
  ModelComment comment = TRY(ModelComment::Parse(signature.trusted_comment));
  if (model.lease.empty() && model.broker.empty()) return InvalidArgument("there is no lease: give --broker");
  std::string no_lease;
  if (!model.lease.empty()) {
    Result<ReleasedKey> key = StartFromLease(model, comment, platform, store_lease);
    if (key.ok()) return key;
    Error error = Annotate(std::move(key).error(), "the lease");
    if (model.broker.empty() || error.code != ErrorCode::kAuth) return error;
    no_lease = error.message + "; ";
  }
  Result<ReleasedKey> key = AskBroker(model, comment, platform, store_lease);
  if (!key.ok()) return Error{key.error().code, no_lease + key.error().message};
  return key;
}

}  // namespace soter
