#include "trusted/seal/model_policy.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "common/base/reader.h"
#include "common/base/writer.h"

namespace soter {
namespace {

using control::Check;
using control::Scheme;

constexpr std::string_view kMagic = "SOTERSM\n";
constexpr uint32_t kFormatVersion = 1;
constexpr size_t kMaxNameBytes = 64;

struct SchemeRow {
  Scheme scheme;
  uint8_t strength;
  const char* name;
};

// In the order of what the accelerator learns and may do; gaps leave room (50 is `masked`, to come).
constexpr std::array<SchemeRow, 6> kSchemes = {{{Scheme::kInsecure, 0, "insecure"},
                                                {Scheme::kVerified, 10, "verified"},
                                                {Scheme::kAegisdnn, 20, "aegisdnn"},
                                                {Scheme::kEnnclave, 30, "ennclave"},
                                                {Scheme::kSoter, 40, "soter"},
                                                {Scheme::kMlcapsule, 60, "mlcapsule"}}};

struct CheckRow {
  Check check;
  uint8_t strength;
  const char* name;
};

constexpr std::array<CheckRow, 3> kChecks = {
    {{Check::kNone, 0, "none"}, {Check::kFingerprint, 10, "fingerprint"}, {Check::kFreivalds, 20, "freivalds"}}};

const SchemeRow& RowOf(Scheme scheme) {
  auto row = std::ranges::find(kSchemes, scheme, &SchemeRow::scheme);
  CHECK(row != kSchemes.end(), "a scheme has no strength");
  return *row;
}

const CheckRow& RowOf(Check check) {
  auto row = std::ranges::find(kChecks, check, &CheckRow::check);
  CHECK(row != kChecks.end(), "a check has no strength");
  return *row;
}

// Nothing when `policy` is possible, else what is wrong with it.
std::optional<std::string> Fault(const ModelPolicy& policy) {
  if (!IsModelName(policy.name)) {
    return "the model's name must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or a digit";
  }
  if (policy.precisions == 0 || (policy.precisions & ~kAllPrecisions) != 0) return "no or unknown precisions are allowed";
  bool theta_is_range = policy.min_theta >= 0 && policy.min_theta <= policy.max_theta && policy.max_theta <= 1;
  if (!theta_is_range) return "theta must be a range within 0 to 1";
  return std::nullopt;
}

Result<ModelPolicy> DecodeFields(Reader& reader) {
  ModelPolicy policy;
  policy.name = TRY(reader.ReadString(kMaxNameBytes));
  policy.version = TRY(reader.ReadNumber<uint64_t>());
  uint8_t scheme = TRY(reader.ReadNumber<uint8_t>());
  uint8_t check = TRY(reader.ReadNumber<uint8_t>());
  policy.precisions = TRY(reader.ReadNumber<uint32_t>());
  policy.min_theta = TRY(reader.ReadNumber<double>());
  policy.max_theta = TRY(reader.ReadNumber<double>());
  auto scheme_row = std::ranges::find(kSchemes, scheme, &SchemeRow::strength);
  auto check_row = std::ranges::find(kChecks, check, &CheckRow::strength);
  if (scheme_row == kSchemes.end()) return Unsupported("the sealed model demands a scheme that is unknown here");
  if (check_row == kChecks.end()) return Unsupported("the sealed model demands a check that is unknown here");
  policy.min_scheme = scheme_row->scheme;
  policy.min_check = check_row->check;
  if (std::optional<std::string> fault = Fault(policy)) return Malformed("in the sealed model's policy, " + *fault);
  return policy;
}

// Takes "key=value" off the front of `text`, and the space behind it.
std::string_view TakeValue(std::string_view& text, std::string_view key) {
  if (!text.starts_with(key) || !text.substr(key.size()).starts_with('=')) return {};
  text.remove_prefix(key.size() + 1);
  std::string_view value = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(value.size() + 1, text.size()));
  return value;
}

}  // namespace

bool IsModelName(std::string_view name) {
  auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > kMaxNameBytes || !is_alphanumeric(name[0])) return false;
  return std::ranges::all_of(name, [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

uint8_t SchemeStrength(Scheme scheme) { return RowOf(scheme).strength; }
uint8_t CheckStrength(Check check) { return RowOf(check).strength; }

Status RequirePolicy(const ModelPolicy& policy, const ProtectionChoice& choice) {
  std::string demand = "the sealed model \"" + policy.name + "\" demands ";
  const SchemeRow& scheme = RowOf(choice.scheme);
  if (scheme.strength < SchemeStrength(policy.min_scheme)) {
    return AuthError(demand + "scheme " + RowOf(policy.min_scheme).name + " or stronger; " + scheme.name + " is weaker");
  }
  const CheckRow& check = RowOf(choice.check);
  if (choice.scheme != Scheme::kMlcapsule && check.strength < CheckStrength(policy.min_check)) {
    return AuthError(demand + "check " + RowOf(policy.min_check).name + " or stronger; " + check.name + " is weaker");
  }
  if ((policy.precisions & static_cast<uint32_t>(choice.precision)) == 0) {
    return AuthError(demand + "another precision than the one asked for");
  }
  bool theta_fits = choice.theta >= policy.min_theta && choice.theta <= policy.max_theta;  // false for NaN
  if (choice.scheme == Scheme::kSoter && !theta_fits) {
    return AuthError(demand + "a theta from " + std::to_string(policy.min_theta) + " to " +
                     std::to_string(policy.max_theta));
  }
  return {};
}

Result<std::vector<std::byte>> EncodePolicy(const ModelPolicy& policy, const PolicySalt& salt) {
  if (std::optional<std::string> fault = Fault(policy)) return InvalidArgument(*fault);
  Writer fields;
  fields.WriteBytes(salt);
  fields.WriteString(policy.name);
  fields.WriteNumber(policy.version);
  fields.WriteNumber(SchemeStrength(policy.min_scheme));
  fields.WriteNumber(CheckStrength(policy.min_check));
  fields.WriteNumber(policy.precisions);
  fields.WriteNumber(policy.min_theta);
  fields.WriteNumber(policy.max_theta);

  size_t used_bytes = kMagic.size() + 2 * sizeof(uint32_t) + fields.size();
  size_t header_bytes = (used_bytes + kPolicyAlignment - 1) / kPolicyAlignment * kPolicyAlignment;
  Writer header;
  header.WriteBytes(AsBytes(kMagic));
  header.WriteNumber(kFormatVersion);
  header.WriteNumber(static_cast<uint32_t>(header_bytes));
  header.WriteBytes(fields.bytes());
  header.WriteBytes(std::vector<std::byte>(header_bytes - used_bytes));
  return std::move(header).Take();
}

Result<DecodedPolicy> DecodePolicy(std::span<const std::byte> plaintext) {
  Reader prefix(plaintext);
  std::span<const std::byte> magic = TRY(prefix.ReadBytes(kMagic.size()));
  if (AsText(magic) != kMagic) return Malformed("what was sealed is not a Soter model");
  uint32_t format_version = TRY(prefix.ReadNumber<uint32_t>());
  if (format_version != kFormatVersion) {
    return Unsupported("a sealed model of format " + std::to_string(format_version) + "; this program knows 1");
  }
  uint32_t header_bytes = TRY(prefix.ReadNumber<uint32_t>());
  size_t prefix_bytes = plaintext.size() - prefix.remaining();
  bool fits = header_bytes >= prefix_bytes && header_bytes <= kMaxPolicyBytes && header_bytes % kPolicyAlignment == 0;
  if (!fits) return Malformed("the sealed model's policy has an impossible length");
  Reader fields(TRY(prefix.ReadBytes(header_bytes - prefix_bytes)));
  TRY(fields.ReadBytes(sizeof(PolicySalt)));
  ModelPolicy policy = TRY(DecodeFields(fields));
  std::span<const std::byte> padding = TRY(fields.ReadBytes(fields.remaining()));
  bool is_zero = std::ranges::all_of(padding, [](std::byte byte) { return byte == std::byte{0}; });
  if (padding.size() >= kPolicyAlignment || !is_zero) return Malformed("the sealed model's policy is not padded with zeros");
  return DecodedPolicy{std::move(policy), header_bytes};
}

std::string ModelComment::ToText() const {
  return "soter-model name=" + name + " version=" + std::to_string(version) + " sha256=" + EncodeHex(digest) +
         (head ? " head=" + EncodeHex(*head) : "");
}

Result<ModelComment> ModelComment::Parse(std::string_view text) {
  std::string_view rest = text;
  constexpr std::string_view kStart = "soter-model ";
  if (!rest.starts_with(kStart)) return Malformed("the signature is not of a sealed model: its comment is another");
  rest.remove_prefix(kStart.size());
  ModelComment comment = {.name = std::string(TakeValue(rest, "name"))};
  std::string_view version = TakeValue(rest, "version");
  std::vector<std::byte> digest = TRY(DecodeHex(TakeValue(rest, "sha256")));
  std::vector<std::byte> head = TRY(DecodeHex(TakeValue(rest, "head")));
  if (head.size() == sizeof(Sha256::Digest)) std::ranges::copy(head, comment.head.emplace().begin());
  std::from_chars(version.data(), version.data() + version.size(), comment.version);
  if (digest.size() != comment.digest.size()) return Malformed("the comment of a sealed model has no SHA-256 digest");
  std::ranges::copy(digest, comment.digest.begin());
  // Whatever was overlooked above makes a difference here.
  if (!IsModelName(comment.name) || comment.ToText() != text) return Malformed("the comment of a sealed model is malformed");
  return comment;
}

}  // namespace soter
