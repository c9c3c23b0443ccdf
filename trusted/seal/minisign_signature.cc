#include <algorithm>

#include "common/base/base64.h"
#include "common/base/bytes.h"
#include "trusted/seal/minisign.h"
#include "trusted/seal/minisign_format.h"

namespace soter {
namespace {

constexpr std::string_view kPrehashed = "ED";
constexpr std::string_view kWhole = "Ed";
constexpr size_t kSignatureBytes = 2 + 8 + 64;

// What the second signature covers: the first one and the comment.
std::vector<std::byte> CommentMessage(const MinisignSignature& signature) {
  std::vector<std::byte> message(signature.signature.begin(), signature.signature.end());
  std::span<const std::byte> comment = AsBytes(signature.trusted_comment);
  message.insert(message.end(), comment.begin(), comment.end());
  return message;
}

Status CheckKeyId(const MinisignPublicKey& key, const MinisignSignature& signature) {
  if (signature.id == key.id) return {};
  return AuthError("signed with the minisign key " + MinisignKeyIdText(signature.id) + ", not with " +
                   MinisignKeyIdText(key.id));
}

Status VerifyFile(const MinisignPublicKey& key, const MinisignSignature& signature,
                  std::span<const std::byte> signed_bytes) {
  TRY(VerifyComment(key, signature));
  if (!VerifyEd25519(key.key, signed_bytes, signature.signature).ok()) {
    return AuthError("the file is not the one that the minisign key " + MinisignKeyIdText(key.id) + " signed");
  }
  return {};
}

}  // namespace

namespace internal {

bool IsCommentText(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (static_cast<unsigned char>(c) < 32 && c != '\t') || c == 127; });
}

Result<std::vector<std::string_view>> SplitMinisignLines(std::string_view text, size_t line_count) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    if (lines.size() == line_count) return Malformed("a minisign file has too many lines");
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > kMaxMinisignLineBytes) return Malformed("a minisign file has too long a line");
    if (!IsCommentText(line)) return Malformed("a minisign file holds a control character");
    lines.push_back(line);
  }
  if (lines.size() < line_count) return Malformed("a minisign file has too few lines");
  return lines;
}

}  // namespace internal

Result<MinisignSignature> MinisignSignature::Parse(std::string_view text) {
  std::vector<std::string_view> lines = TRY(internal::SplitMinisignLines(text, 4));
  bool has_comments = lines[0].starts_with(internal::kUntrustedComment) && lines[2].starts_with(internal::kTrustedComment);
  if (!has_comments) return Malformed("not a minisign signature: a comment line is missing");
  std::array<std::byte, kSignatureBytes> raw;
  size_t raw_bytes = TRY(DecodeBase64To(lines[1], Base64::kPadded, raw));
  std::string_view algorithm = AsText(raw).substr(0, 2);
  if (raw_bytes != raw.size()) return Malformed("a minisign signature has a wrong length");
  if (algorithm != kPrehashed && algorithm != kWhole) return Malformed("a minisign signature of an unknown algorithm");
  MinisignSignature signature = {.is_prehashed = algorithm == kPrehashed};
  std::ranges::copy(std::span(raw).subspan(2, 8), signature.id.begin());
  std::ranges::copy(std::span(raw).subspan(10), signature.signature.begin());
  signature.trusted_comment = lines[2].substr(internal::kTrustedComment.size());
  if (signature.trusted_comment.size() > kMaxTrustedCommentBytes) return Malformed("a trusted comment is too long");
  size_t comment_bytes = TRY(DecodeBase64To(lines[3], Base64::kPadded, signature.comment_signature));
  if (comment_bytes != signature.comment_signature.size()) return Malformed("a minisign signature has a wrong length");
  return signature;
}

std::string MinisignSignature::ToText() const {
  std::vector<std::byte> raw;
  for (std::span<const std::byte> part : {AsBytes(is_prehashed ? kPrehashed : kWhole), std::span<const std::byte>(id),
                                          std::span<const std::byte>(signature)}) {
    raw.insert(raw.end(), part.begin(), part.end());
  }
  return std::string(internal::kUntrustedComment) + "signature from the minisign key " + MinisignKeyIdText(id) + "\n" +
         EncodeBase64(raw, Base64::kPadded) + "\n" + std::string(internal::kTrustedComment) + trusted_comment + "\n" +
         EncodeBase64(comment_signature, Base64::kPadded) + "\n";
}

Result<MinisignSignature> SignDigest(const MinisignSecretKey& key, const Blake2b512::Digest& digest,
                                     std::string_view trusted_comment) {
  if (trusted_comment.size() > kMaxTrustedCommentBytes || !internal::IsCommentText(trusted_comment)) {
    return InvalidArgument("a trusted comment is one line of at most " + std::to_string(kMaxTrustedCommentBytes) +
                           " bytes without control characters");
  }
  MinisignSignature signature = {.is_prehashed = true,
                                 .id = key.id(),
                                 .signature = SignEd25519(key.seed(), digest),
                                 .trusted_comment = std::string(trusted_comment)};
  signature.comment_signature = SignEd25519(key.seed(), CommentMessage(signature));
  return signature;
}

Status VerifyComment(const MinisignPublicKey& key, const MinisignSignature& signature) {
  TRY(CheckKeyId(key, signature));
  if (!VerifyEd25519(key.key, CommentMessage(signature), signature.comment_signature).ok()) {
    return AuthError("the trusted comment is not what the minisign key " + MinisignKeyIdText(key.id) + " signed");
  }
  return {};
}

Status VerifyDigest(const MinisignPublicKey& key, const MinisignSignature& signature,
                    const Blake2b512::Digest& digest) {
  if (!signature.is_prehashed) {
    return Unsupported("a signature of minisign's older form, which is not over a digest: sign again without -l");
  }
  return VerifyFile(key, signature, digest);
}

Status VerifyMessage(const MinisignPublicKey& key, const MinisignSignature& signature,
                     std::span<const std::byte> message) {
  if (!signature.is_prehashed) return VerifyFile(key, signature, message);
  return VerifyDigest(key, signature, Digest<Blake2b512>(message));
}

}  // namespace soter
