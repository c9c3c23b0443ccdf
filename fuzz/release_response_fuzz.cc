// What a broker may answer: a response that is taken keeps within its limits, and takes the same when it comes again.
#include <cstddef>
#include <cstdint>

#include "common/base/check.h"
#include "trusted/release/https_client.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  soter::Result<soter::HttpsResponse> response = soter::ParseHttpsResponse(bytes);
  if (!response.ok()) return 0;
  CHECK(response->body.size() <= soter::kMaxResponseBytes, "a body over the limit was taken");
  CHECK(soter::ParseHttpsResponse(bytes)->body == response->body, "a response is read in two ways");
  return 0;
}
