// An age header is refused, or is exactly what EncodeAgeHeader writes of it: the MAC may be computed from either.

#include "common/base/check.h"
#include "trusted/seal/age.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  std::string_view text(reinterpret_cast<const char*>(data), size_bytes);
  soter::Result<soter::AgeHeader> header = soter::ParseAgeHeader(text);
  if (header.ok()) {
    CHECK(soter::EncodeAgeHeader(*header) == text, "a header that is not canonical was accepted");
    static const soter::AgeIdentity identity =
        soter::AgeIdentity::Parse("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0").value();
    soter::Result<soter::AgeFileKey> file_key = identity.Unwrap(header->stanzas);
    CHECK(file_key.ok() || !file_key.error().message.empty(), "a refusal gives no reason");
  }
  return 0;
}
