#include "trusted/engine/open_model.h"

#include "common/base/private_memory.h"
#include "common/base/protected_pages.h"
#include "trusted/seal/sealed_graph.h"
#include "trusted/seal/sealed_model.h"

namespace soter {
namespace {

constexpr const char* kDevelopmentTee = "dev";

bool HidesWeights(control::Scheme scheme) {
  return scheme != control::Scheme::kInsecure && scheme != control::Scheme::kVerified;
}

// Spot checks that fall too rarely, or on too few known answers, would turn a check that is demanded into none.
Status RequireSpotChecks(const ModelPolicy& policy, const control::Settings& settings) {
  if (policy.min_check == control::Check::kNone || settings.check != control::Check::kFingerprint) return {};
  const control::Settings least;
  if (settings.fingerprint_rate >= least.fingerprint_rate && settings.cornerstones >= least.cornerstones) return {};
  return AuthError("the sealed model \"" + policy.name + "\" demands a check; with fingerprints that is a rate of " +
                   "0.1 and 8 cornerstones at least");
}

// The plaintext and the parameters decoded from it are there at the same time; later ones replace earlier ones. A
// model that will not fit is refused before any of it is read.
Status RequireRoom(uint64_t ciphertext_bytes) {
  constexpr uint64_t kOtherBytes = uint64_t{1} << 20;
  if (ciphertext_bytes > (SIZE_MAX - kOtherBytes) / 2) return Exhausted("no machine has the memory for this model");
  return RequireLockable(2 * ciphertext_bytes + kOtherBytes, "a sealed model of this size takes");
}

}  // namespace

Status RequirePlaintextAllowed(control::Scheme scheme, const std::string& tee) {
  if (tee == kDevelopmentTee || !HidesWeights(scheme)) return {};
  return AuthError("a model that is not sealed is no secret: this enclave runs it under insecure or verified only");
}

Status RequireKeyFromOperatorAllowed(const std::string& tee) {
  if (tee == kDevelopmentTee) return {};
  return AuthError("this enclave takes no key from the command line; only the development TEE does");
}

Result<ValidatedGraph> OpenModelFor(const control::Settings& settings, const control::SealedModel& sealed,
                                    ByteSource ciphertext) {
  TRY(RaiseMemoryProtection(MemoryProtection::kLock));
  TRY(RequireRoom(sealed.ciphertext_bytes));
  std::vector<AgeIdentity> identities = TRY(ParseAgeIdentities(sealed.identity));
  MinisignPublicKey signer = TRY(MinisignPublicKey::Parse(sealed.signer));
  OpenRequest request = {.identities = identities, .signer = signer, .signature = sealed.signature};
  OpenedModel opened = TRY(OpenSealedModel(std::move(ciphertext), sealed.ciphertext_bytes, request));
  TRY(RequirePolicy(opened.policy(), {.scheme = settings.scheme,
                                      .check = settings.check,
                                      .precision = Precision::kFloat32,
                                      .theta = settings.theta}));
  TRY(RequireSpotChecks(opened.policy(), settings));
  return DecodeSealedGraph(opened.graph());
}

}  // namespace soter
