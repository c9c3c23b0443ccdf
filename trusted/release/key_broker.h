#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/base/secret_bytes.h"
#include "trusted/crypto/certificate.h"
#include "trusted/release/https_url.h"
#include "trusted/tee/platform.h"

namespace soter {

// KeyBroker is a server of Trustee's key broker protocol, ours or another (docs/spec/key-release.md).
struct KeyBroker {
  HttpsUrl url;
  std::vector<Certificate> anchors;          // its certificate, or those of who signed it
  std::string kbs_version;                   // "0.4.0"
  std::chrono::milliseconds timeout{10'000};  // for one request, all in all
  bool sample_evidence = false;              // claim to be Trustee's `sample` TEE; development builds alone
};

// FetchResource proves to `broker` what runs here and returns the resource at `path`, REPO/TYPE/TAG. Evidence binds the
// broker's nonce and a key made for this one request, to which the resource is encrypted. The broker is believed in
// nothing else: what it answers is read within limits, and a redirect is not followed.
// Errors: kAuth (it refused, is not who it should be, or answers what no honest broker does), kUnavailable (gone, late
// or overloaded), kInvalidArgument (`path`), kExhausted (the TEE gives no evidence).
Result<SecretBytes> FetchResource(const KeyBroker& broker, const std::string& path, Platform& platform);

// ReadAnchors reads certificates in PEM. Errors: kInvalidArgument (not PEM, no certificate).
Result<std::vector<Certificate>> ReadAnchors(std::string_view pem);

}  // namespace soter
