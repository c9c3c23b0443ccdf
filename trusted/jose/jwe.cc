#include "trusted/jose/jwe.h"

#include <algorithm>

#include "trusted/crypto/aead.h"
#include "trusted/crypto/concat_kdf.h"
#include "trusted/crypto/key_wrap.h"
#include "trusted/crypto/random.h"

namespace soter {
namespace {

constexpr std::string_view kA256Gcm = "A256GCM";
constexpr size_t kKeyBytes = 32;

// What a JWE holds, decoded; `protected_text` is what was hashed.
struct Parts {
  std::string protected_text;
  std::vector<std::byte> encrypted_key, sealed;  // ciphertext, then tag
  AeadNonce iv;
};

struct Header {
  EcPublicJwk ephemeral;
  std::vector<std::byte> party_u, party_v;
};

AeadKey AsAeadKey(const SecretBytes& bytes) {
  CHECK(bytes.Expose().size() == kKeyBytes, "a key has another length");
  AeadKey key;
  std::ranges::copy(bytes.Expose(), key.Expose().begin());
  return key;
}

AeadKey WrappingKey(const SecretBytes& shared, const Header& header) {
  ConcatKdfInfo info = {.algorithm = kEcdhEsA256Kw, .party_u = header.party_u, .party_v = header.party_v};
  return AsAeadKey(ConcatKdf(shared.Expose(), info, kKeyBytes));
}

Result<std::vector<std::byte>> OptionalBytes(const Json& json, const char* name) {
  if (!json.contains(name)) return std::vector<std::byte>();
  return JsonBytes(json, name, Base64::kUrl);
}

Result<Parts> ParseParts(std::string_view text) {
  Json json = TRY(ParseJson(text));
  TRY(ExpectMembers(json, {"protected", "encrypted_key", "iv", "ciphertext", "tag"}));
  Parts parts = {.protected_text = TRY(JsonText(json, "protected"))};
  parts.encrypted_key = TRY(JsonBytes(json, "encrypted_key", Base64::kUrl));
  parts.sealed = TRY(JsonBytes(json, "ciphertext", Base64::kUrl));
  std::vector<std::byte> iv = TRY(JsonBytes(json, "iv", Base64::kUrl));
  std::vector<std::byte> tag = TRY(JsonBytes(json, "tag", Base64::kUrl));
  if (iv.size() != parts.iv.size() || tag.size() != kAeadTagBytes)
    return Malformed("a JWE's iv is 12 bytes and its tag 16");
  if (parts.sealed.size() > kMaxJwePlaintextBytes) return Malformed("a JWE is longer than 1 MiB");
  std::ranges::copy(iv, parts.iv.begin());
  parts.sealed.insert(parts.sealed.end(), tag.begin(), tag.end());
  return parts;
}

Result<Header> ParseHeader(const std::string& protected_text) {
  std::vector<std::byte> bytes = TRY(DecodeBase64(protected_text, Base64::kUrl));
  Json json = TRY(ParseJson(AsText(bytes)));
  if (TRY(JsonText(json, "alg")) != kEcdhEsA256Kw)
    return Unsupported("a JWE's alg is another than " + std::string(kEcdhEsA256Kw));
  if (TRY(JsonText(json, "enc")) != kA256Gcm) return Unsupported("a JWE's enc is another than A256GCM");
  if (json.contains("crit") || json.contains("zip"))
    return Unsupported("a JWE demands an extension or is compressed");
  Header header = {.ephemeral = TRY(DecodeJwk(*TRY(JsonMember(json, "epk"))))};
  header.party_u = TRY(OptionalBytes(json, "apu"));
  header.party_v = TRY(OptionalBytes(json, "apv"));
  return header;
}

std::string EncodeHeader(const EcPublicJwk& ephemeral) {
  Json header = {{"alg", kEcdhEsA256Kw}, {"enc", kA256Gcm}, {"epk", EncodeJwk(ephemeral)}};
  return EncodeBase64(AsBytes(DumpJson(header)), Base64::kUrl);
}

}  // namespace

Result<std::string> EncryptJwe(const EcPublicJwk& recipient, ByteView plaintext) {
  if (plaintext.size() > kMaxJwePlaintextBytes) return InvalidArgument("a JWE takes at most 1 MiB");
  EcPrivateKey ephemeral = TRY(EcPrivateKey::Generate(recipient.curve));
  SecretBytes shared = TRY(ephemeral.Agree(recipient.public_key));
  AeadKey content_key = TRY(RandomSecret<kKeyBytes>());
  AeadNonce iv;
  TRY(FillRandom(iv));
  std::string protected_text = EncodeHeader({recipient.curve, ephemeral.public_key()});
  std::vector<std::byte> sealed(plaintext.size() + kAeadTagBytes);
  Aes256Gcm(content_key).Seal(iv, AsBytes(protected_text), plaintext, sealed);
  std::span all(sealed);
  Json jwe = {{"protected", protected_text},
              {"encrypted_key", EncodeBase64(WrapKey(WrappingKey(shared, {}), content_key.Expose()), Base64::kUrl)},
              {"iv", EncodeBase64(iv, Base64::kUrl)},
              {"ciphertext", EncodeBase64(all.first(plaintext.size()), Base64::kUrl)},
              {"tag", EncodeBase64(all.last(kAeadTagBytes), Base64::kUrl)}};
  return DumpJson(jwe);
}

Result<SecretBytes> DecryptJwe(const EcPrivateKey& key, std::string_view jwe) {
  Parts parts = TRY(ParseParts(jwe));
  Header header = TRY(ParseHeader(parts.protected_text));
  if (header.ephemeral.curve != key.curve()) return AuthError("a JWE is for a key on another curve");
  SecretBytes shared = TRY(key.Agree(header.ephemeral.public_key));
  SecretBytes content_key = TRY(UnwrapKey(WrappingKey(shared, header), parts.encrypted_key));
  if (content_key.Expose().size() != kKeyBytes) return Malformed("a JWE's content key has another length than 32");
  SecretBytes plaintext(parts.sealed.size() - kAeadTagBytes);
  Aes256Gcm aead(AsAeadKey(content_key));
  Status opened = aead.Open(parts.iv, AsBytes(parts.protected_text), parts.sealed, plaintext.Expose());
  if (!opened.ok()) return AuthError("a JWE was changed");
  return plaintext;
}

}  // namespace soter
