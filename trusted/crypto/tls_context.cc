#include "trusted/crypto/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <vector>

#include "common/base/check.h"
#include "trusted/crypto/evp.h"
#include "trusted/crypto/openssl_free.h"

namespace soter {
namespace {

constexpr size_t kMaxPemBytes = 64 * 1024;

using Bio = std::unique_ptr<BIO, internal::Free<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, internal::Free<X509_free>>;

int NoPassword(char*, int, int, void*) { return -1; }

Result<Bio> View(std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return Malformed("a PEM text is longer than 64 KiB");
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  CHECK(bio, "out of memory");
  return bio;
}

Result<std::vector<X509Ptr>> ReadCertificates(std::string_view pem) {
  Bio bio = TRY(View(pem));
  std::vector<X509Ptr> certificates;
  while (true) {
    X509* x509 = X509_new_ex(internal::OpenSslLibrary(), nullptr);
    CHECK(x509 != nullptr, "out of memory");
    X509Ptr owned(x509);
    if (PEM_read_bio_X509(bio.get(), &x509, NoPassword, nullptr) == nullptr) {
      owned.release();
      X509_free(x509);  // null where the failed read has freed it
      break;
    }
    certificates.push_back(std::move(owned));
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end || certificates.empty()) return Malformed("not a PEM text of certificates");
  return certificates;
}

Result<internal::Key> ReadKey(std::string_view pem) {
  Bio bio = TRY(View(pem));
  EVP_PKEY* key =
      PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, NoPassword, nullptr, internal::OpenSslLibrary(), nullptr);
  ERR_clear_error();
  if (key == nullptr) return Malformed("not a PEM private key without a password");
  return internal::Key(key);
}

TlsContext NewContext(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new_ex(internal::OpenSslLibrary(), nullptr, method));
  CHECK(context && SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) == 1, "OpenSSL lacks TLS 1.3");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

}  // namespace

void internal::FreeTlsContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext> NewTlsServerContext(std::string_view chain_pem, std::string_view key_pem) {
  std::vector<X509Ptr> chain = TRY(ReadCertificates(chain_pem));
  internal::Key key = TRY(ReadKey(key_pem));
  TlsContext context = NewContext(TLS_server_method());
  SSL_CTX_set_num_tickets(context.get(), 0);  // a session is a few requests: nothing to resume
  bool used = SSL_CTX_use_certificate(context.get(), chain[0].get()) == 1;
  for (size_t i = 1; used && i < chain.size(); ++i) used = SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) == 1;
  bool matches = used && SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1 &&
                 SSL_CTX_check_private_key(context.get()) == 1;
  ERR_clear_error();
  if (!matches) return InvalidArgument("the private key is not that of the first certificate");
  return context;
}

Result<TlsContext> NewTlsClientContext(std::string_view trusted_pem) {
  std::vector<X509Ptr> trusted = TRY(ReadCertificates(trusted_pem));
  TlsContext context = NewContext(TLS_client_method());
  X509_STORE* store = SSL_CTX_get_cert_store(context.get());
  for (const X509Ptr& x509 : trusted) CHECK(X509_STORE_add_cert(store, x509.get()) == 1, "out of memory");
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  ERR_clear_error();
  return context;
}

}  // namespace soter
