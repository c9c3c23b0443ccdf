// Encrypted and signed messages from peers, against keys whose owner the fuzzer is not: none may be accepted, unless
// it is one that the owner made (the corpus has one of each).
#include <cstddef>
#include <cstdint>

#include "trusted/jose/jwe.h"
#include "trusted/jose/jwt.h"

namespace {

// RFC 7518, appendix C: Bob.
const soter::EcPrivateKey& Key() {
  static const soter::EcPrivateKey key = [] {
    auto url = [](const char* text) { return soter::DecodeBase64(text, soter::Base64::kUrl).value(); };
    std::vector<std::byte> point = url("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ");
    std::vector<std::byte> y = url("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck");
    point.insert(point.end(), y.begin(), y.end());
    std::vector<std::byte> scalar = url("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    return soter::EcPrivateKey::FromScalar(soter::EcCurve::kP256, scalar, point).value();
  }();
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)soter::DecryptJwe(Key(), text);
  soter::Result<soter::Json> claims = soter::VerifyJwt({Key().curve(), Key().public_key()}, text);
  if (claims.ok()) (void)soter::CheckJwtTimes(*claims, 0);
  return 0;
}
