#include "trusted/crypto/aead.h"

#include <algorithm>

#include "common/base/check.h"
#include "trusted/crypto/evp.h"

namespace soter {
namespace {

using internal::Raw;

// What one call of EVP may take: its lengths are ints.
constexpr size_t kMaxMessageBytes = size_t{1} << 30;

EVP_CIPHER* FetchCipher(const char* name) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(internal::OpenSslLibrary(), name, nullptr);
  CHECK(cipher != nullptr, "this OpenSSL lacks a cipher that Soter needs");
  return cipher;
}

template <AeadAlgorithm kAlgorithm>
const EVP_CIPHER* Cipher() {
  static EVP_CIPHER* const cipher =
      FetchCipher(kAlgorithm == AeadAlgorithm::kAes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305");
  return cipher;
}

void Pass(EVP_CIPHER_CTX* context, unsigned char* out, std::span<const std::byte> in) {
  int size_bytes = 0;
  CHECK(in.size() <= kMaxMessageBytes, "a message is too long for one seal");
  if (in.empty()) return;  // a null pointer would mean the end of the message
  int done = EVP_CipherUpdate(context, out, &size_bytes, Raw(in.data()), static_cast<int>(in.size()));
  CHECK(done == 1, "a cipher cannot go on");
}

}  // namespace

void internal::FreeCipherContext::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

template <AeadAlgorithm kAlgorithm>
Aead<kAlgorithm>::Aead(const AeadKey& key) : seal_(EVP_CIPHER_CTX_new()), open_(EVP_CIPHER_CTX_new()) {
  CHECK(seal_ != nullptr && open_ != nullptr, "a cipher cannot be started");
  const unsigned char* raw_key = Raw(key.Expose().data());
  int started = EVP_EncryptInit_ex(seal_.get(), Cipher<kAlgorithm>(), nullptr, raw_key, nullptr);
  started &= EVP_DecryptInit_ex(open_.get(), Cipher<kAlgorithm>(), nullptr, raw_key, nullptr);
  CHECK(started == 1, "a cipher cannot be started");
}

template <AeadAlgorithm kAlgorithm>
void Aead<kAlgorithm>::Seal(const AeadNonce& nonce, std::span<const std::byte> associated,
                            std::span<const std::byte> plaintext, std::span<std::byte> out) {
  CHECK(out.size() == plaintext.size() + kAeadTagBytes, "a seal needs room for its tag");
  EVP_CIPHER_CTX* context = seal_.get();
  int size_bytes = 0;
  unsigned char* tag = Raw(out.data() + plaintext.size());
  CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, Raw(nonce.data())) == 1, "a nonce was refused");
  Pass(context, nullptr, associated);
  Pass(context, Raw(out.data()), plaintext);
  CHECK(EVP_EncryptFinal_ex(context, tag, &size_bytes) == 1, "a cipher cannot be finished");
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1, "a cipher gives no tag");
}

template <AeadAlgorithm kAlgorithm>
Status Aead<kAlgorithm>::Open(const AeadNonce& nonce, std::span<const std::byte> associated,
                              std::span<const std::byte> sealed, std::span<std::byte> out) {
  CHECK(sealed.size() == out.size() + kAeadTagBytes, "a sealed message holds its tag");
  EVP_CIPHER_CTX* context = open_.get();
  int size_bytes = 0;
  std::array<unsigned char, kAeadTagBytes> tag;
  std::ranges::copy(sealed.last(kAeadTagBytes), reinterpret_cast<std::byte*>(tag.data()));
  CHECK(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, Raw(nonce.data())) == 1, "a nonce was refused");
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag.size(), tag.data()) == 1, "a tag was refused");
  Pass(context, nullptr, associated);
  Pass(context, Raw(out.data()), sealed.first(out.size()));
  unsigned char none[kAeadTagBytes];
  if (EVP_DecryptFinal_ex(context, none, &size_bytes) == 1) return {};
  Wipe(out);
  return IntegrityError("a sealed message was changed, or the key is another");
}

template class Aead<AeadAlgorithm::kChaCha20Poly1305>;
template class Aead<AeadAlgorithm::kAes256Gcm>;

}  // namespace soter
