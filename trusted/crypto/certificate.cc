#include "trusted/crypto/certificate.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "trusted/crypto/evp.h"
#include "trusted/crypto/openssl_free.h"

namespace soter {
namespace {

using internal::Free;
using internal::OpenSslLibrary;

using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, Free<X509_CRL_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using X509StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, Free<ASN1_OBJECT_free>>;
using OctetStringPtr = std::unique_ptr<unsigned char, decltype([](unsigned char* bytes) { OPENSSL_free(bytes); })>;

const unsigned char* Raw(ByteView bytes) { return internal::Raw(bytes.data()); }

int64_t Seconds(const ASN1_TIME* time) {
  tm broken_down = {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return 0;
  return timegm(&broken_down);
}

std::string CommonName(const X509_NAME* name) {
  int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  if (size < 0) return {};
  std::string text(reinterpret_cast<char*>(utf8), size);
  OPENSSL_free(utf8);
  return text;
}

template <typename T, typename Encode>
std::vector<std::byte> ToDerWith(T* object, Encode encode) {
  int size = encode(object, nullptr);
  CHECK(size > 0, "a parsed object does not encode");
  std::vector<std::byte> der(size);
  unsigned char* cursor = reinterpret_cast<unsigned char*>(der.data());
  encode(object, &cursor);
  return der;
}

// Takes the reference to `root` that a store holds and the path between; dates are not looked at.
Status RunPathValidation(std::span<const Certificate> path) {
  X509StorePtr store(X509_STORE_new());
  X509StoreCtxPtr context(X509_STORE_CTX_new_ex(OpenSslLibrary(), nullptr));
  std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> between(sk_X509_new_null(),
                                                                     [](auto* s) { sk_X509_free(s); });
  CHECK(store && context && between, "out of memory");
  auto raw = [&](size_t i) { return const_cast<X509*>(path[i].raw()); };
  for (size_t i = 1; i + 1 < path.size(); ++i) sk_X509_push(between.get(), raw(i));
  CHECK(X509_STORE_add_cert(store.get(), raw(path.size() - 1)) == 1 &&
            X509_STORE_CTX_init(context.get(), store.get(), raw(0), between.get()) == 1,
        "out of memory");
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()),
                              X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_CHECK_SS_SIGNATURE);
  bool valid = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (!valid) return AuthError(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  // A path that OpenSSL shortened or turned round is not the one that was asked about.
  STACK_OF(X509)* built = X509_STORE_CTX_get0_chain(context.get());
  if (sk_X509_num(built) != static_cast<int>(path.size())) return AuthError("the chain has certificates to spare");
  for (size_t i = 0; i < path.size(); ++i)
    if (X509_cmp(sk_X509_value(built, static_cast<int>(i)), raw(i)) != 0)
      return AuthError("the chain is out of order");
  return {};
}

}  // namespace

Result<Certificate> Certificate::FromDer(ByteView der) {
  const unsigned char* cursor = Raw(der);
  X509* raw = X509_new_ex(OpenSslLibrary(), nullptr);
  CHECK(raw != nullptr, "out of memory");
  X509Ptr x509(d2i_X509(&raw, &cursor, static_cast<long>(der.size())));  // frees and clears `raw` on an error
  ERR_clear_error();
  if (!x509 || cursor != Raw(der) + der.size()) return Malformed("a certificate does not decode");
  if (X509_get0_pubkey(x509.get()) == nullptr) return Malformed("a certificate holds no usable public key");
  Certificate certificate(std::shared_ptr<X509>(x509.release(), X509_free));
  // OpenSSL accepts some encodings that are not DER; one certificate has one spelling here.
  std::vector<std::byte> again = certificate.ToDer();
  if (!std::equal(again.begin(), again.end(), der.begin(), der.end())) return Malformed("a certificate is not DER");
  return certificate;
}

std::string Certificate::subject_name() const { return CommonName(X509_get_subject_name(x509_.get())); }
std::string Certificate::issuer_name() const { return CommonName(X509_get_issuer_name(x509_.get())); }
int64_t Certificate::not_before() const { return Seconds(X509_get0_notBefore(x509_.get())); }
int64_t Certificate::not_after() const { return Seconds(X509_get0_notAfter(x509_.get())); }
std::vector<std::byte> Certificate::ToDer() const { return ToDerWith(x509_.get(), i2d_X509); }

std::vector<std::byte> Certificate::PublicKeyDer() const {
  return ToDerWith(X509_get_X509_PUBKEY(x509_.get()), i2d_X509_PUBKEY);
}

Result<std::vector<std::byte>> Certificate::EcPublicKey() const {
  EVP_PKEY* key = X509_get0_pubkey(x509_.get());
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return Malformed("a certificate's key is not on an elliptic curve");
  unsigned char* encoded = nullptr;
  size_t size = EVP_PKEY_get1_encoded_public_key(key, &encoded);
  OctetStringPtr owned(encoded);
  if (size < 1 || encoded[0] != POINT_CONVERSION_UNCOMPRESSED) return Malformed("a certificate's key is compressed");
  auto* begin = reinterpret_cast<const std::byte*>(encoded);
  return std::vector<std::byte>(begin + 1, begin + size);
}

Result<std::optional<std::vector<std::byte>>> Certificate::Extension(const char* oid) const {
  ObjectPtr object(OBJ_txt2obj(oid, 1));
  CHECK(object, "an object identifier does not parse");
  int index = X509_get_ext_by_OBJ(x509_.get(), object.get(), -1);
  if (index < 0) return std::optional<std::vector<std::byte>>();
  if (X509_get_ext_by_OBJ(x509_.get(), object.get(), index) >= 0)
    return Malformed(std::string("a certificate has extension ") + oid + " twice");
  const ASN1_OCTET_STRING* content = X509_EXTENSION_get_data(X509_get_ext(x509_.get(), index));
  auto* begin = reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(content));
  return std::optional(std::vector<std::byte>(begin, begin + ASN1_STRING_length(content)));
}

bool Certificate::IsIssuedBy(const Certificate& issuer) const {
  return X509_NAME_cmp(X509_get_issuer_name(x509_.get()), X509_get_subject_name(issuer.raw())) == 0;
}

bool Certificate::IsSignedBy(const Certificate& issuer) const {
  bool valid = X509_verify(x509_.get(), X509_get0_pubkey(issuer.raw())) == 1;
  ERR_clear_error();
  return valid;
}

Status Certificate::CheckSelfSignature() const {
  if (!IsSignedBy(*this)) return AuthError("the certificate is not signed with its own key");
  return {};
}

Status CheckPath(std::span<const Certificate> path) {
  CHECK(path.size() >= 2, "a path has a leaf and a root");
  return RunPathValidation(path);
}

Result<RevocationList> RevocationList::FromDer(ByteView der) {
  const unsigned char* cursor = Raw(der);
  X509_CRL* raw = X509_CRL_new_ex(OpenSslLibrary(), nullptr);
  CHECK(raw != nullptr, "out of memory");
  X509CrlPtr crl(d2i_X509_CRL(&raw, &cursor, static_cast<long>(der.size())));  // frees and clears `raw` on an error
  ERR_clear_error();
  if (!crl || cursor != Raw(der) + der.size()) return Malformed("a revocation list does not decode");
  std::vector<std::byte> again = ToDerWith(crl.get(), i2d_X509_CRL);
  if (!std::equal(again.begin(), again.end(), der.begin(), der.end()))
    return Malformed("a revocation list is not DER");
  return RevocationList(std::shared_ptr<X509_CRL>(crl.release(), X509_CRL_free));
}

int64_t RevocationList::this_update() const { return Seconds(X509_CRL_get0_lastUpdate(crl_.get())); }
int64_t RevocationList::next_update() const { return Seconds(X509_CRL_get0_nextUpdate(crl_.get())); }

bool RevocationList::IsIssuedBy(const Certificate& issuer) const {
  return X509_NAME_cmp(X509_CRL_get_issuer(crl_.get()), X509_get_subject_name(issuer.raw())) == 0;
}

Status RevocationList::CheckSignature(const Certificate& issuer) const {
  bool valid = X509_CRL_verify(crl_.get(), X509_get0_pubkey(issuer.raw())) == 1;
  ERR_clear_error();
  if (!valid) return AuthError("the revocation list's signature is false");
  return {};
}

bool RevocationList::Revokes(const Certificate& certificate) const {
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl_.get()), X509_get_issuer_name(certificate.raw())) != 0) return false;
  X509_REVOKED* entry = nullptr;
  return X509_CRL_get0_by_serial(crl_.get(), &entry, X509_get0_serialNumber(certificate.raw())) != 0;
}

}  // namespace soter
