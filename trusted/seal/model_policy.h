#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/wire/control.h"
#include "trusted/crypto/hash.h"

// What the owner of a sealed model demands of those who run it (docs/spec/sealed-model.md, 2).
namespace soter {

// Precision is one arithmetic in which operators may be computed; a policy allows a set of them.
enum class Precision : uint32_t { kFloat32 = 1, kBfloat16 = 2, kFloat16 = 4, kInt8 = 8, kTf32 = 16 };
inline constexpr uint32_t kAllPrecisions = 31;

struct ModelPolicy {
  std::string name;             // IsModelName
  uint64_t version = 1;         // a broker refuses versions below its own minimum
  control::Scheme min_scheme = control::Scheme::kSoter;
  control::Check min_check = control::Check::kFingerprint;
  uint32_t precisions = static_cast<uint32_t>(Precision::kFloat32);  // a set of Precision
  double min_theta = 0;         // for schemes that offload a chosen fraction
  double max_theta = 1;
};

// IsModelName is true for 1 to 64 letters, digits, '.', '_' and '-', of which the first is a letter or a digit.
bool IsModelName(std::string_view name);

// SchemeStrength and CheckStrength are the numbers that the format writes; a higher one satisfies a lower minimum.
uint8_t SchemeStrength(control::Scheme scheme);
uint8_t CheckStrength(control::Check check);

// ProtectionChoice is how a session is about to be run.
struct ProtectionChoice {
  control::Scheme scheme;
  control::Check check;
  Precision precision;
  double theta;
};

// RequirePolicy succeeds when `choice` is at least what `policy` demands. A scheme that sends nothing to the
// accelerator needs no check, and only `soter` reads theta. Errors: kAuth (what is too weak, and what would do).
Status RequirePolicy(const ModelPolicy& policy, const ProtectionChoice& choice);

using PolicySalt = std::array<std::byte, 32>;
inline constexpr size_t kPolicyAlignment = 64;
inline constexpr size_t kMaxPolicyBytes = 4096;

// EncodePolicy writes the header of the plaintext; `salt` makes its digest say nothing to one who guesses the
// model. Errors: kInvalidArgument (which member is impossible).
Result<std::vector<std::byte>> EncodePolicy(const ModelPolicy& policy, const PolicySalt& salt);

struct DecodedPolicy {
  ModelPolicy policy;
  size_t header_bytes;  // the graph starts here
};

// DecodePolicy reads the header off the front of a plaintext. Errors: kMalformed; kUnsupported (a later format).
Result<DecodedPolicy> DecodePolicy(std::span<const std::byte> plaintext);

// ModelComment is what the signature of a sealed model says in clear.
struct ModelComment {
  std::string name;
  uint64_t version;
  Sha256::Digest digest;  // SHA-256 of the plaintext: policy and graph
  std::optional<Sha256::Digest> head = std::nullopt;  // SHA-256 of the age file up to its first chunk

  std::string ToText() const;

  // Parse accepts only what ToText writes. Errors: kMalformed.
  static Result<ModelComment> Parse(std::string_view text);
};

}  // namespace soter
