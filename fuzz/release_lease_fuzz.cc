// A lease file from the host, and what is inside one. The first byte chooses: the input is the file, or the plaintext of a
// lease that this machine sealed, which then is read as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common/base/check.h"
#include "trusted/release/lease.h"

namespace {

class FuzzPlatform final : public soter::Platform {
 public:
  soter::PlatformKind kind() const override { return soter::PlatformKind::kSnp; }
  std::string Describe() const override { return "fuzz"; }
  soter::Result<soter::PlatformReport> Produce(const soter::ReportData&) override { return soter::Unavailable(""); }
  soter::Result<std::vector<std::byte>> Measurement() override { return soter::Unavailable(""); }
  soter::Result<soter::Secret<std::array<std::byte, 32>>> SealingKey(std::string_view) override {
    return soter::Secret<std::array<std::byte, 32>>();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzPlatform platform;
  soter::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  if (size == 0 || size > 16 * 1024) return 0;
  if (bytes[0] == std::byte{0}) {
    CHECK(!soter::OpenLease(bytes.subspan(1), platform).ok(), "a lease that nobody sealed was opened");
    return 0;
  }
  soter::Lease lease{.starts_allowed = data[0], .starts_used = 1, .not_after_s = 2, .resource = soter::SecretBytes(size)};
  std::ranges::copy(bytes, lease.resource.Expose().begin());
  std::vector<std::byte> sealed = soter::SealLease(lease, platform).value();
  soter::Lease read = soter::OpenLease(sealed, platform).value();
  CHECK(std::ranges::equal(read.resource.Expose(), bytes), "a lease is not read as it was written");
  return 0;
}
