#include "trusted/engine/open_model.h"

#include "common/base/bytes.h"
#include "common/base/private_memory.h"
#include "common/base/protected_pages.h"
#include "common/graph/codec.h"
#include "trusted/seal/sealed_model.h"

namespace soter {
namespace {

constexpr const char* kDevelopmentTee = "dev";

bool HidesWeights(control::Scheme scheme) {
  return scheme != control::Scheme::kInsecure && scheme != control::Scheme::kVerified;
}

// In an owner's policy, float64 is what float32 is: no less exact.
Precision PrecisionOf(wire::Arithmetic arithmetic) {
  switch (arithmetic) {
    case wire::Arithmetic::kTf32: return Precision::kTf32;
    case wire::Arithmetic::kFloat16: return Precision::kFloat16;
    case wire::Arithmetic::kFloat32: case wire::Arithmetic::kFloat64: break;
  }
  return Precision::kFloat32;
}

// The plaintext and the parameters decoded from it are there at the same time; later ones replace earlier ones. A
// model that will not fit is refused before any of it is read.
Status RequireRoom(uint64_t ciphertext_bytes) {
  constexpr uint64_t kOtherBytes = uint64_t{1} << 20;
  if (ciphertext_bytes > (SIZE_MAX - kOtherBytes) / 2) return Exhausted("no machine has the memory for this model");
  return RequireLockable(2 * ciphertext_bytes + kOtherBytes, "a sealed model of this size takes");
}

}  // namespace

Status RequireSpotChecks(const control::Settings& settings) {
  const control::Settings least;
  bool enough = settings.fingerprint_rate >= least.fingerprint_rate && settings.cornerstones >= least.cornerstones;
  if (settings.check != control::Check::kFingerprint || enough) return {};
  return AuthError("fingerprints count as one at a rate of 0.1 and with 8 cornerstones at least");
}

Status RequireOwnPlacement(const control::Settings& settings) {
  if (!settings.placement.has_value()) return {};
  return AuthError("--placement is for models that are not sealed: a sealed one is placed by its scheme's own rule");
}

Status RequirePlaintextAllowed(control::Scheme scheme, const std::string& tee) {
  if (tee == kDevelopmentTee || !HidesWeights(scheme)) return {};
  return AuthError("a model that is not sealed is no secret: this enclave runs it under insecure or verified only");
}

Status RequireKeyFromOperatorAllowed(const std::string& tee) {
  if (tee == kDevelopmentTee) return {};
  return AuthError("this enclave takes no key from the command line; only the development TEE does");
}

Result<LoadedModel> OpenModelFor(const control::Settings& settings, ReleasedKey key, SealedSource sealed) {
  TRY(RequireOwnPlacement(settings));
  TRY(RaiseMemoryProtection(MemoryProtection::kLock));
  TRY(RequireRoom(sealed.ciphertext_bytes));
  std::vector<AgeIdentity> identities = TRY(ParseAgeIdentities(AsText(key.identity.Expose())));
  MinisignPublicKey signer = TRY(MinisignPublicKey::Parse(key.signer));
  OpenRequest request = {
      .identities = identities, .signer = signer, .signature = sealed.signature, .terms = std::move(key.terms)};
  OpenedModel opened = TRY(OpenSealedModel(std::move(sealed.ciphertext), sealed.ciphertext_bytes, request));
  TRY(RequirePolicy(opened.policy(), {.scheme = settings.scheme,
                                      .check = settings.check,
                                      .precision = PrecisionOf(settings.precision),
                                      .theta = settings.theta}));
  if (opened.policy().min_check != control::Check::kNone) {
    Status checks = RequireSpotChecks(settings);
    if (!checks.ok()) return Annotate(checks.error(), "the sealed model \"" + opened.policy().name + "\" demands a check");
  }
  const Sha256::Digest& digest = opened.digest();
  return LoadedModel{.graph = TRY(DecodeGraph(opened.graph())), .digest = {digest.begin(), digest.end()}};
}

}  // namespace soter
