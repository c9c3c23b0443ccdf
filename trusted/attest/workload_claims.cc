#include "trusted/attest/workload_claims.h"

#include <algorithm>
#include <set>

#include "trusted/attest/cbor.h"

namespace soter {
namespace {

// The first two names are the interoperability text's; the others are ours.
constexpr std::string_view kPublicKeyHash = "pubkey-hash", kNonce = "nonce", kPurpose = "soter-purpose",
                           kModelDigest = "soter-model-digest", kScheme = "soter-scheme", kCheck = "soter-check";
constexpr uint64_t kSha256Id = 1, kSha384Id = 7, kSha512Id = 8;
constexpr size_t kMaxFieldBytes = 64;

Result<std::vector<std::byte>> HashAs(uint64_t algorithm, ByteView message) {
  auto bytes = [](const auto& digest) { return std::vector<std::byte>(digest.begin(), digest.end()); };
  if (algorithm == kSha256Id) return bytes(Digest<Sha256>(message));
  if (algorithm == kSha384Id) return bytes(Digest<Sha384>(message));
  if (algorithm == kSha512Id) return bytes(Digest<Sha512>(message));
  return Unsupported("a key's hash names algorithm " + std::to_string(algorithm) + "; accepted are 1, 7 and 8");
}

std::vector<std::byte> EncodeKeyHash(const KeyHash& hash) {
  CborWriter writer;
  writer.WriteArrayHead(2);
  writer.WriteUnsigned(hash.algorithm);
  writer.WriteBytes(hash.digest);
  return std::move(writer).Take();
}

Result<KeyHash> DecodeKeyHash(ByteView entry) {
  CborReader reader(entry);
  if (TRY(reader.ReadArrayHead()) != 2) return Malformed("a key's hash is not a pair");
  KeyHash hash = {.algorithm = TRY(reader.ReadUnsigned())};
  ByteView digest = TRY(reader.ReadBytes());
  TRY(reader.ExpectEnd());
  if (digest.size() != TRY(HashAs(hash.algorithm, {})).size()) return Malformed("a key's hash has the wrong length");
  hash.digest.assign(digest.begin(), digest.end());
  return hash;
}

Result<std::vector<std::byte>> ReadShortBytes(CborReader& reader) {
  ByteView bytes = TRY(reader.ReadBytes());
  if (bytes.size() > kMaxFieldBytes) return Malformed("a claim is longer than 64 bytes");
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

Result<std::string> ReadShortText(CborReader& reader) {
  std::string text = TRY(reader.ReadText());
  bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (text.size() > kMaxFieldBytes || !printable) return Malformed("a claim is not a short printable name");
  return text;
}

Status ReadEntry(const std::string& key, CborReader& reader, WorkloadClaims& claims) {
  if (key == kPublicKeyHash) {
    claims.public_key_hash = TRY(DecodeKeyHash(TRY(reader.ReadBytes())));
  } else if (key == kNonce) {
    claims.nonce = TRY(ReadShortBytes(reader));
  } else if (key == kPurpose) {
    claims.purpose = TRY(ReadShortText(reader));
  } else if (key == kModelDigest) {
    claims.model_digest = TRY(ReadShortBytes(reader));
  } else if (key == kScheme) {
    claims.scheme = TRY(ReadShortText(reader));
  } else if (key == kCheck) {
    claims.check = TRY(ReadShortText(reader));
  } else {
    TRY(reader.Skip());
  }
  return {};
}

}  // namespace

KeyHash KeyHash::Of(ByteView public_key_der) {
  Sha256::Digest digest = Digest<Sha256>(public_key_der);
  return {.algorithm = kSha256Id, .digest = {digest.begin(), digest.end()}};
}

bool KeyHash::Matches(ByteView public_key_der) const {
  Result<std::vector<std::byte>> actual = HashAs(algorithm, public_key_der);
  return actual.ok() && *actual == digest;
}

std::vector<std::byte> EncodeClaims(const WorkloadClaims& claims) {
  CborWriter writer;
  size_t pair_count = (claims.public_key_hash ? 1 : 0) + !claims.nonce.empty() + !claims.purpose.empty() +
                      !claims.model_digest.empty() + !claims.scheme.empty() + !claims.check.empty();
  writer.WriteMapHead(pair_count);
  auto bytes = [&](std::string_view key, ByteView value) {
    if (!value.empty()) writer.WriteText(key), writer.WriteBytes(value);
  };
  auto text = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) writer.WriteText(key), writer.WriteText(value);
  };
  if (claims.public_key_hash) bytes(kPublicKeyHash, EncodeKeyHash(*claims.public_key_hash));
  bytes(kNonce, claims.nonce);
  text(kPurpose, claims.purpose);
  bytes(kModelDigest, claims.model_digest);
  text(kScheme, claims.scheme);
  text(kCheck, claims.check);
  return std::move(writer).Take();
}

Result<WorkloadClaims> DecodeClaims(ByteView encoded) {
  CborReader reader(encoded);
  WorkloadClaims claims;
  std::set<std::string> seen;
  uint64_t pair_count = TRY(reader.ReadMapHead());
  for (uint64_t i = 0; i < pair_count; ++i) {
    std::string key = TRY(reader.ReadText());
    if (!seen.insert(key).second) return Malformed("the claims hold a key twice");
    TRY(ReadEntry(key, reader, claims));
  }
  TRY(reader.ExpectEnd());
  return claims;
}

std::array<std::byte, 64> ReportDataOf(ByteView claims) {
  std::array<std::byte, 64> data = {};
  Sha256::Digest digest = Digest<Sha256>(claims);
  std::copy(digest.begin(), digest.end(), data.begin());
  return data;
}

}  // namespace soter
