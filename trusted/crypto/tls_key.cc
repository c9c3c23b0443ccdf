#include "trusted/crypto/tls_key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "trusted/crypto/evp.h"
#include "trusted/crypto/openssl_free.h"
#include "trusted/crypto/random.h"

namespace soter {
namespace {

using internal::Free;
using internal::OpenSslLibrary;
using internal::Raw;

using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, Free<ASN1_OBJECT_free>>;
using OctetStringPtr = std::unique_ptr<ASN1_OCTET_STRING, Free<ASN1_OCTET_STRING_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, Free<ASN1_INTEGER_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;

constexpr size_t kSerialBytes = 16;

// A random serial number: two certificates of one name are told apart by it.
Status SetSerial(X509* x509) {
  std::array<std::byte, kSerialBytes> random;
  TRY(FillRandom(random));
  random[0] &= std::byte{0x7f};
  random[0] |= std::byte{0x40};
  BignumPtr number(BN_bin2bn(Raw(random.data()), random.size(), nullptr));
  IntegerPtr serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
  CHECK(serial && X509_set_serialNumber(x509, serial.get()) == 1, "out of memory");
  return {};
}

void SetName(X509* x509, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(x509);
  int done = X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                        reinterpret_cast<const unsigned char*>(common_name.data()),
                                        static_cast<int>(common_name.size()), -1, 0);
  CHECK(done == 1 && X509_set_issuer_name(x509, name) == 1, "a certificate's name is not text");
}

void AddExtension(X509* x509, const char* oid, ByteView content) {
  ObjectPtr object(OBJ_txt2obj(oid, 1));
  OctetStringPtr octets(ASN1_OCTET_STRING_new());
  CHECK(object && octets &&
            ASN1_OCTET_STRING_set(octets.get(), Raw(content.data()), static_cast<int>(content.size())) == 1,
        "out of memory");
  ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), /*crit=*/0, octets.get()));
  CHECK(extension && X509_add_ext(x509, extension.get(), -1) == 1, "out of memory");
}

Status SetDates(X509* x509, int64_t not_before, int64_t not_after) {
  bool said = not_before < not_after && ASN1_TIME_set(X509_getm_notBefore(x509), not_before) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(x509), not_after) != nullptr;
  if (!said) return InvalidArgument("a certificate must end after it begins, before the year 10000");
  return {};
}

}  // namespace

Result<TlsKey> TlsKey::Generate() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(OpenSslLibrary(), nullptr, "EC", "P-256");
  ERR_clear_error();
  if (key == nullptr) return Unavailable("OpenSSL cannot make a P-256 key");
  return TlsKey(std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

std::vector<std::byte> TlsKey::PublicKeyDer() const {
  std::vector<std::byte> der(static_cast<size_t>(i2d_PUBKEY(key_.get(), nullptr)));
  unsigned char* cursor = Raw(der.data());
  i2d_PUBKEY(key_.get(), &cursor);
  return der;
}

SecretBytes TlsKey::PrivateKeyDer() const {
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>> info(EVP_PKEY2PKCS8(key_.get()));
  CHECK(info, "out of memory");
  SecretBytes der(static_cast<size_t>(i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr)));
  unsigned char* cursor = Raw(der.Expose().data());
  i2d_PKCS8_PRIV_KEY_INFO(info.get(), &cursor);
  return der;
}

Result<Certificate> TlsKey::SelfSign(const Subject& subject) const {
  X509Ptr x509(X509_new_ex(OpenSslLibrary(), nullptr));
  CHECK(x509 && X509_set_version(x509.get(), X509_VERSION_3) == 1, "out of memory");
  TRY(SetSerial(x509.get()));
  SetName(x509.get(), subject.common_name);
  TRY(SetDates(x509.get(), subject.not_before, subject.not_after));
  AddExtension(x509.get(), subject.extension_oid, subject.extension);
  bool made = X509_set_pubkey(x509.get(), key_.get()) == 1 &&
              X509_sign(x509.get(), key_.get(), internal::OpenSslHash(HashAlgorithm::kSha256)) > 0;
  CHECK(made, "OpenSSL cannot sign a certificate");
  int size = i2d_X509(x509.get(), nullptr);
  CHECK(size > 0, "a new certificate does not encode");
  std::vector<std::byte> der(static_cast<size_t>(size));
  unsigned char* cursor = Raw(der.data());
  i2d_X509(x509.get(), &cursor);
  return Certificate::FromDer(der);
}

}  // namespace soter
