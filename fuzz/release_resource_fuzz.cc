// What a broker may release: of a resource that is taken, the text no longer holds the identity.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common/base/bytes.h"
#include "trusted/release/released_resource.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::SecretBytes text(size);
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, text.Expose().begin());
  soter::Result<soter::ReleasedResource> resource = soter::DecodeReleasedResource(text);
  if (!resource.ok()) return 0;
  std::string_view identity = soter::AsText(resource->identity.Expose());
  CHECK(soter::AsText(text.Expose()).find(identity) == std::string_view::npos, "the identity is left in the text");
  CHECK(soter::IsModelName(resource->terms.name), "a name that is none was taken");
  return 0;
}
