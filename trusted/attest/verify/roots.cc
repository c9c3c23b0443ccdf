#include "trusted/attest/verify/roots.h"

#include "common/base/hex.h"

#include <algorithm>

namespace soter {
namespace {

// Each line: SHA-256 of the root's SubjectPublicKeyInfo. Reproduce one from the vendor's certificate with
//   openssl x509 -in ROOT.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum
// Certificates, by SHA-256 fingerprint (openssl x509 -fingerprint -sha256):
//   ARK-Milan  69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd
//   kdsintf.amd.com/vcek/v1/Milan/cert_chain ARK-Genoa
//   4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1  kdsintf.amd.com/vcek/v1/Genoa/cert_chain
//   ARK-Turin  1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a
//   kdsintf.amd.com/vcek/v1/Turin/cert_chain Intel SGX Root CA
//   44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3
//                      certificates.trustedservices.intel.com/IntelSGXRootCA.der
// Milan and Intel were taken from evidence of real machines; Genoa and Turin from the copies that two verifiers of
// other authors pin (go-sev-guest, routex-client-lua), which are the same byte for byte and hold under their own
// signature; a third verifier's list of these key digests agrees.
constexpr std::string_view kArkMilan = "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9";
constexpr std::string_view kArkGenoa = "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831";
constexpr std::string_view kArkTurin = "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08";
constexpr std::string_view kIntelSgxRoot = "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e";

Sha256::Digest PinnedDigest(std::string_view hex) {
  Result<std::vector<std::byte>> bytes = DecodeHexAnyCase(hex);
  Sha256::Digest digest;
  CHECK(bytes.ok() && bytes->size() == digest.size(), "a pinned root is not a SHA-256 value");
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

}  // namespace

const TrustAnchors& PinnedRoots() {
  static const TrustAnchors roots = {.amd = {{SnpLine::kMilan, PinnedDigest(kArkMilan)},
                                             {SnpLine::kGenoa, PinnedDigest(kArkGenoa)},
                                             {SnpLine::kTurin, PinnedDigest(kArkTurin)}},
                                     .intel = PinnedDigest(kIntelSgxRoot)};
  return roots;
}

}  // namespace soter
