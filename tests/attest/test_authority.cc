#include "tests/attest/test_authority.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string_view>

#include "common/base/base64.h"

namespace soter {
namespace {

unsigned char* Raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* Raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

const EVP_MD* HashOf(const TestKey& key) { return EVP_PKEY_get_bits(key.raw()) == 256 ? EVP_sha256() : EVP_sha384(); }

evp_pkey_st* Generate(std::string_view kind) {
  if (kind == "RSA") return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048});
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.data());
}

// SignWith signs a certificate or a list; `sign` is X509_sign_ctx or X509_CRL_sign_ctx.
template <typename T>
void SignWith(T* object, int (*sign)(T*, EVP_MD_CTX*), const TestKey& issuer) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* padding = nullptr;
  bool ready = EVP_DigestSignInit(context, &padding, HashOf(issuer), nullptr, issuer.raw()) == 1;
  if (EVP_PKEY_is_a(issuer.raw(), "RSA"))
    ready = ready && EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 48) == 1;
  CHECK(ready && sign(object, context) > 0, "a test vendor cannot sign");
  EVP_MD_CTX_free(context);
}

template <typename T>
std::vector<std::byte> Encode(T* object, int (*encode)(const T*, unsigned char**)) {
  std::vector<std::byte> der(static_cast<size_t>(encode(object, nullptr)));
  unsigned char* cursor = Raw(der.data());
  encode(object, &cursor);
  return der;
}

void SetName(X509_NAME* name, const std::string& text) {
  X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                             static_cast<int>(text.size()), -1, 0);
}

void AddExtension(X509* x509, const char* oid, ByteView content, bool critical) {
  ASN1_OBJECT* object = OBJ_txt2obj(oid, 1);
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(octets, Raw(content.data()), static_cast<int>(content.size()));
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object, critical, octets);
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(octets);
  ASN1_OBJECT_free(object);
}

}  // namespace

TestKey::TestKey(const char* kind)
    : key_(Generate(kind), EVP_PKEY_free), scalar_bytes_(std::string_view(kind) == "P-384" ? 48 : 32) {
  CHECK(key_ != nullptr, "no such kind of key");
}

std::vector<std::byte> TestKey::Point() const {
  unsigned char* encoded = nullptr;
  size_t size = EVP_PKEY_get1_encoded_public_key(key_.get(), &encoded);
  auto* begin = reinterpret_cast<std::byte*>(encoded);
  std::vector<std::byte> point(begin + 1, begin + size);
  OPENSSL_free(encoded);
  return point;
}

std::vector<std::byte> TestKey::Sign(ByteView message) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  unsigned char der[160];
  size_t size = sizeof(der);
  CHECK(EVP_DigestSignInit(context, nullptr, HashOf(*this), nullptr, key_.get()) == 1 &&
            EVP_DigestSign(context, der, &size, Raw(message.data()), message.size()) == 1,
        "a test key cannot sign");
  EVP_MD_CTX_free(context);
  const unsigned char* cursor = der;
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size));
  std::vector<std::byte> out(2 * scalar_bytes_);
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), Raw(out.data()), static_cast<int>(scalar_bytes_));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), Raw(out.data() + scalar_bytes_), static_cast<int>(scalar_bytes_));
  ECDSA_SIG_free(signature);
  return out;
}

Certificate Issue(const TestCertificate& content, const TestKey& subject, const TestKey& issuer) {
  X509* x509 = X509_new();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(x509), content.serial);
  SetName(X509_get_subject_name(x509), content.name);
  X509_NAME* issuer_name = X509_NAME_new();
  SetName(issuer_name, content.issuer_name);
  X509_set_issuer_name(x509, issuer_name);
  X509_NAME_free(issuer_name);
  ASN1_TIME_set(X509_getm_notBefore(x509), content.not_before);
  ASN1_TIME_set(X509_getm_notAfter(x509), content.not_after);
  X509_set_pubkey(x509, subject.raw());
  std::vector<std::byte> is_ca = Der(0x01, std::vector<std::byte>{std::byte{0xff}});
  if (content.is_ca) AddExtension(x509, "2.5.29.19", Der(0x30, is_ca), /*critical=*/true);
  for (const auto& [oid, bytes] : content.extensions) AddExtension(x509, oid, bytes, /*critical=*/false);
  SignWith(x509, X509_sign_ctx, issuer);
  std::vector<std::byte> der = Encode<X509>(x509, i2d_X509);
  X509_free(x509);
  return Certificate::FromDer(der).value();
}

std::vector<std::byte> IssueListDer(const TestRevocations& content, const TestKey& issuer) {
  X509_CRL* crl = X509_CRL_new();
  X509_CRL_set_version(crl, X509_CRL_VERSION_2);
  X509_NAME* name = X509_NAME_new();
  SetName(name, content.issuer_name);
  X509_CRL_set_issuer_name(crl, name);
  X509_NAME_free(name);
  ASN1_TIME* time = ASN1_TIME_set(nullptr, content.this_update);
  X509_CRL_set1_lastUpdate(crl, time);
  for (int64_t serial : content.serials) {
    X509_REVOKED* entry = X509_REVOKED_new();
    ASN1_INTEGER* number = ASN1_INTEGER_new();
    ASN1_INTEGER_set_int64(number, serial);
    X509_REVOKED_set_serialNumber(entry, number);
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(crl, entry);
    ASN1_INTEGER_free(number);
  }
  ASN1_TIME_set(time, content.next_update);
  X509_CRL_set1_nextUpdate(crl, time);
  ASN1_TIME_free(time);
  SignWith(crl, X509_CRL_sign_ctx, issuer);
  std::vector<std::byte> der = Encode<X509_CRL>(crl, i2d_X509_CRL);
  X509_CRL_free(crl);
  return der;
}

RevocationList IssueList(const TestRevocations& content, const TestKey& issuer) {
  return RevocationList::FromDer(IssueListDer(content, issuer)).value();
}

std::string ToPem(const std::vector<Certificate>& certificates) {
  std::string pem;
  for (const Certificate& certificate : certificates) {
    std::string base64 = EncodeBase64(certificate.ToDer(), Base64::kPadded);
    pem += "-----BEGIN CERTIFICATE-----\n";
    for (size_t i = 0; i < base64.size(); i += 64) pem += base64.substr(i, 64) + "\n";
    pem += "-----END CERTIFICATE-----\n";
  }
  return pem;
}

std::vector<std::byte> Der(uint8_t tag, ByteView content) {
  std::vector<std::byte> out = {std::byte{tag}};
  if (content.size() >= 256) {
    out.insert(out.end(), {std::byte{0x82}, static_cast<std::byte>(content.size() >> 8)});
  } else if (content.size() >= 128) {
    out.push_back(std::byte{0x81});
  }
  out.push_back(static_cast<std::byte>(content.size()));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

std::vector<std::byte> DerInteger(uint8_t value) {
  std::vector<std::byte> content;
  if (value >= 128) content.push_back(std::byte{0});
  content.push_back(std::byte{value});
  return Der(0x02, content);
}

}  // namespace soter
