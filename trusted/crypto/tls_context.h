#pragma once

#include <memory>
#include <string_view>

#include "common/base/result.h"

struct ssl_ctx_st;

// The settings of TLS: version 1.3 alone, keys and roots that the caller gives, nothing from the host (no configuration
// file, no system store of certificates). Sockets and streams are the caller's: a boost::asio::ssl::context takes one
// over with boost::asio::ssl::context(context.release()).
namespace soter {

namespace internal {
struct FreeTlsContext {
  void operator()(ssl_ctx_st* context) const;
};
}  // namespace internal

using TlsContext = std::unique_ptr<ssl_ctx_st, internal::FreeTlsContext>;

// NewTlsServerContext makes ready to serve with a certificate, leaf first, and its private key, both PEM.
// Errors: kMalformed (not PEM, more than 64 KiB), kInvalidArgument (the key is not the certificate's).
Result<TlsContext> NewTlsServerContext(std::string_view chain_pem, std::string_view key_pem);

// NewTlsClientContext makes ready to connect to servers whose certificate is one of `trusted_pem`, or chains to one.
// The server's name is for the caller to demand, for each connection (boost::asio::ssl::host_name_verification).
// Dates are judged by this machine's clock. Errors: kMalformed (not PEM, no certificate, more than 64 KiB).
Result<TlsContext> NewTlsClientContext(std::string_view trusted_pem);

}  // namespace soter
