#include "trusted/seal/age.h"

#include <algorithm>

#include "common/base/bytes.h"
#include "trusted/crypto/constant_time.h"
#include "trusted/crypto/hkdf.h"
#include "trusted/crypto/hmac.h"
#include "trusted/crypto/random.h"

namespace soter {
namespace {

using PayloadNonce = std::array<std::byte, 16>;

Sha256::Digest HeaderMac(const AgeFileKey& file_key, const std::vector<AgeStanza>& stanzas) {
  AeadKey mac_key = HkdfSha256(file_key.Expose(), {}, "header");
  return HmacSha256(mac_key.Expose(), AsBytes(EncodeAgeStanzas(stanzas)));
}

AeadKey PayloadKey(const AgeFileKey& file_key, const PayloadNonce& nonce) {
  return HkdfSha256(file_key.Expose(), nonce, "payload");
}

// A passphrase must be the only way into its file, or its owner would take another's file for his own.
Status CheckPassphraseIsAlone(const std::vector<AgeStanza>& stanzas) {
  bool has_passphrase = std::ranges::any_of(stanzas, [](const AgeStanza& s) { return s.arguments[0] == "scrypt"; });
  if (has_passphrase && stanzas.size() > 1) return Malformed("an scrypt stanza is not alone in the age header");
  return {};
}

Result<AgeFileKey> UnwrapWithAny(std::span<const AgeIdentity> identities, const std::vector<AgeStanza>& stanzas) {
  for (const AgeIdentity& identity : identities) {
    Result<AgeFileKey> file_key = identity.Unwrap(stanzas);
    if (file_key.ok() || file_key.error().code != ErrorCode::kAuth) return file_key;
  }
  if (identities.size() == 1) {
    return AuthError("the file was not encrypted to " + identities[0].recipient().ToText());
  }
  return AuthError("the file was not encrypted to any of the " + std::to_string(identities.size()) + " identities");
}

}  // namespace

AgeEncryptor::AgeEncryptor(const AeadKey& payload_key, ByteSink sink)
    : cipher_(std::make_unique<ChaCha20Poly1305>(payload_key)),
      sink_(std::move(sink)),
      chunk_(kAgeChunkBytes),
      sealed_(kAgeSealedChunkBytes) {}

Result<AgeEncryptor> AgeEncryptor::Start(std::span<const AgeRecipient> recipients, ByteSink sink) {
  if (recipients.empty()) return InvalidArgument("an age file needs at least one recipient (age1...)");
  AgeFileKey file_key = TRY(RandomSecret<16>());
  AgeHeader header;
  for (const AgeRecipient& recipient : recipients) header.stanzas.push_back(TRY(recipient.Wrap(file_key)));
  header.mac = HeaderMac(file_key, header.stanzas);
  std::string text = EncodeAgeHeader(header);
  if (text.size() > kMaxAgeHeaderBytes) return InvalidArgument("an age file cannot have that many recipients");
  PayloadNonce nonce;
  TRY(FillRandom(nonce));
  TRY(sink(AsBytes(text)));
  TRY(sink(nonce));
  return AgeEncryptor(PayloadKey(file_key, nonce), std::move(sink));
}

Status AgeEncryptor::Write(std::span<const std::byte> plaintext) {
  while (!plaintext.empty()) {
    // A full chunk waits for more before it goes, since only then is it known not to be the last.
    if (chunk_filled_ == kAgeChunkBytes) TRY(Flush(false));
    size_t size_bytes = std::min(plaintext.size(), kAgeChunkBytes - chunk_filled_);
    std::ranges::copy(plaintext.first(size_bytes), chunk_.Expose().begin() + static_cast<ptrdiff_t>(chunk_filled_));
    chunk_filled_ += size_bytes;
    plaintext = plaintext.subspan(size_bytes);
  }
  return {};
}

Status AgeEncryptor::Finish() { return Flush(true); }

Status AgeEncryptor::Flush(bool is_last) {
  std::span<std::byte> sealed = std::span(sealed_).first(chunk_filled_ + kAeadTagBytes);
  cipher_->Seal(AgeChunkNonce(chunk_index_++, is_last), {}, chunk_.Expose().first(chunk_filled_), sealed);
  chunk_filled_ = 0;
  return sink_(sealed);
}

AgeDecryptor::AgeDecryptor(const AeadKey& payload_key, ByteSource source)
    : cipher_(std::make_unique<ChaCha20Poly1305>(payload_key)),
      source_(std::move(source)),
      sealed_(kAgeSealedChunkBytes) {}

Result<AgeDecryptor> AgeDecryptor::Open(ByteSource source, std::span<const AgeIdentity> identities) {
  std::string text = TRY(ReadAgeHeaderText(source));
  AgeHeader header = TRY(ParseAgeHeader(text));
  TRY(CheckPassphraseIsAlone(header.stanzas));
  AgeFileKey file_key = TRY(UnwrapWithAny(identities, header.stanzas));
  if (!ConstantTimeEqual(HeaderMac(file_key, header.stanzas), header.mac)) {
    return IntegrityError("the age header was changed: its MAC does not match");
  }
  PayloadNonce nonce;
  size_t nonce_bytes = TRY(ReadFull(source, nonce));
  if (nonce_bytes != nonce.size()) return Malformed("the age file ends inside its nonce");
  return AgeDecryptor(PayloadKey(file_key, nonce), std::move(source));
}

Result<size_t> AgeDecryptor::Read(std::span<std::byte> out) {
  CHECK(out.size() >= kAgeChunkBytes, "a chunk needs room");
  if (failure_) return *failure_;
  Result<size_t> size_bytes = ReadChunk(out);
  if (!size_bytes.ok()) failure_ = size_bytes.error();
  return size_bytes;
}

Result<size_t> AgeDecryptor::ReadChunk(std::span<std::byte> out) {
  std::span<std::byte> sealed(sealed_);
  if (saw_last_) {
    size_t trailing_bytes = TRY(source_(sealed.first(1)));
    if (trailing_bytes != 0) return IntegrityError("bytes follow the last chunk of the age file");
    return 0;
  }
  size_t sealed_bytes = TRY(ReadFull(source_, sealed));
  if (sealed_bytes < kAeadTagBytes) return IntegrityError("the age file was truncated: it has no last chunk");
  sealed = sealed.first(sealed_bytes);
  std::span<std::byte> chunk = out.first(sealed_bytes - kAeadTagBytes);
  if (chunk.empty() && chunk_index_ > 0) return IntegrityError("the last chunk of the age file is empty");

  // A short chunk can only be the last; a full one may be, and almost never is.
  bool opened = chunk.size() == kAgeChunkBytes &&
                cipher_->Open(AgeChunkNonce(chunk_index_, false), {}, sealed, chunk).ok();
  if (!opened) {
    Status last = cipher_->Open(AgeChunkNonce(chunk_index_, true), {}, sealed, chunk);
    if (!last.ok()) return IntegrityError("chunk " + std::to_string(chunk_index_) + " of the age file was changed");
    saw_last_ = true;
  }
  ++chunk_index_;
  // Only a wholly empty payload has an empty chunk; its end is checked here, as 0 means the end.
  if (chunk.empty()) return ReadChunk(out);
  return chunk.size();
}

}  // namespace soter
