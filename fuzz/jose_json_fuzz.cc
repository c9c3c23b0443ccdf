// JSON from peers: what parses has one canonical text, which parses to the same; a JWK that decodes encodes to itself.
#include <cstddef>
#include <cstdint>

#include "common/base/bytes.h"
#include "trusted/jose/jcs.h"
#include "trusted/jose/jwk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::Result<soter::Json> json = soter::ParseJson({reinterpret_cast<const char*>(data), size});
  if (!json.ok()) return 0;
  soter::Result<std::string> text = soter::CanonicalJson(*json);
  if (text.ok()) {
    soter::Json again = soter::ParseJson(*text).value();
    CHECK(again == *json && soter::CanonicalJson(again).value() == *text, "canonical JSON is not canonical");
  }
  soter::Result<soter::EcPublicJwk> key = soter::DecodeJwk(*json);
  if (key.ok()) {
    CHECK(soter::DecodeJwk(soter::EncodeJwk(*key)).value().public_key == key->public_key, "a JWK does not survive");
  }
  return 0;
}
