#include "trusted/crypto/server_certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "common/base/check.h"
#include "trusted/crypto/ec.h"
#include "trusted/crypto/openssl_free.h"
#include "trusted/crypto/random.h"

namespace soter {
namespace {

using internal::Free;
using internal::Raw;

using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Bignum = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;

constexpr size_t kSerialBytes = 16, kMaxNameBytes = 64;  // of a common name

bool IsAddress(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 || inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

bool IsDnsName(const std::string& name) {
  auto belongs = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, belongs) && name[0] != '.' &&
         name[0] != '-';
}

// OpenSSL's own notation of alternative names; the names hold nothing that could mean more there.
Result<std::string> AlternativeNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!IsAddress(name) && !IsDnsName(name)) return InvalidArgument("not a host name or an address: " + name);
    text += (text.empty() ? "" : ",") + std::string(IsAddress(name) ? "IP:" : "DNS:") + name;
  }
  if (text.empty()) return InvalidArgument("a server's certificate needs a name");
  return text;
}

void AddExtension(X509* x509, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  CHECK(extension && X509_add_ext(x509, extension.get(), -1) == 1, "a certificate takes no extension");
}

Status SetSerial(X509* x509) {
  std::array<std::byte, kSerialBytes> random;
  TRY(FillRandom(random));
  random[0] = (random[0] & std::byte{0x3f}) | std::byte{0x40};  // positive, and never shorter
  Bignum number(BN_bin2bn(Raw(random.data()), random.size(), nullptr));
  CHECK(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr, "out of memory");
  return {};
}

Status SetDates(X509* x509, const ServerCertificate& content) {
  bool said = content.not_before < content.not_after &&
              ASN1_TIME_set(X509_getm_notBefore(x509), content.not_before) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(x509), content.not_after) != nullptr;
  if (!said) return InvalidArgument("a certificate must end after it begins, before the year 10000");
  return {};
}

void SetName(X509* x509, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(x509);
  int done = X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                        reinterpret_cast<const unsigned char*>(common_name.data()),
                                        static_cast<int>(common_name.size()), -1, 0);
  CHECK(done == 1 && X509_set_issuer_name(x509, name) == 1, "a certificate's name is not text");
}

std::string ToPem(X509* x509) {
  Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio && PEM_write_bio_X509(bio.get(), x509) == 1, "out of memory");
  char* text = nullptr;
  long size_bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size_bytes)};
}

}  // namespace

Result<std::string> SignServerCertificate(const EcPrivateKey& key, const ServerCertificate& content) {
  std::string names = TRY(AlternativeNames(content.names));
  X509Ptr x509(X509_new_ex(internal::OpenSslLibrary(), nullptr));
  CHECK(x509 && X509_set_version(x509.get(), X509_VERSION_3) == 1, "out of memory");
  TRY(SetSerial(x509.get()));
  TRY(SetDates(x509.get(), content));
  SetName(x509.get(), content.names[0]);
  AddExtension(x509.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(x509.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(x509.get(), NID_ext_key_usage, "serverAuth");
  AddExtension(x509.get(), NID_subject_alt_name, names.c_str());
  bool made = X509_set_pubkey(x509.get(), key.raw()) == 1 &&
              X509_sign(x509.get(), key.raw(), internal::OpenSslHash(internal::EcHash(key.curve()))) > 0;
  CHECK(made, "OpenSSL cannot sign a certificate");
  ERR_clear_error();
  return ToPem(x509.get());
}

}  // namespace soter
