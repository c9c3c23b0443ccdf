#pragma once

#include <string>
#include <vector>

#include "broker/store.h"
#include "trusted/crypto/ec_key.h"

namespace soter {

// StateDirectory is where a broker keeps everything: broker.db, token.key (signs tokens), tls.crt and tls.key, and
// collateral/, into which its owner puts what vendors publish. Only the owner can read it.
class StateDirectory {
 public:
  explicit StateDirectory(std::string path) : path_(std::move(path)) {}

  struct Identity {                  // of the server, in TLS
    std::vector<std::string> names;  // for a certificate that it signs itself
    std::string certificate_pem, key_pem;  // or these
  };

  // Make makes the directory, which must be new or empty. Errors: kInvalidArgument (it is not; a name that is none; a key
  // that is not the certificate's), kMalformed (no PEM), kUnavailable (it cannot be written).
  Status Make(const Identity& identity, int64_t now_s) const;

  // The rest open what Make made. Errors: kInvalidArgument (no such directory), kUnavailable, kMalformed.
  Result<Store> OpenStore() const;
  Result<EcPrivateKey> TokenKey() const;
  Result<std::string> TlsCertificate() const;
  Result<SecretBytes> TlsKeyText() const;

  std::string certificate_path() const { return path_ + "/tls.crt"; }
  std::string collateral_path() const { return path_ + "/collateral"; }

 private:
  std::string path_;
};

}  // namespace soter
