#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "trusted/crypto/ec_key.h"

namespace soter {

// ServerCertificate is what a server that signs its own certificate says in it.
struct ServerCertificate {
  std::vector<std::string> names;  // DNS names and IP addresses under which clients connect; the first is its subject
  int64_t not_before, not_after;   // seconds since 1970
};

// SignServerCertificate makes a self-signed certificate in PEM, good for serving alone: clients pin it.
// Errors: kInvalidArgument (no name, one that is neither DNS name nor address, times that X.509 cannot say).
Result<std::string> SignServerCertificate(const EcPrivateKey& key, const ServerCertificate& content);

}  // namespace soter
