#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/unique_fd.h"
#include "trusted/crypto/ed25519.h"
#include "trusted/crypto/hash.h"
#include "trusted/crypto/hkdf.h"
#include "trusted/crypto/random.h"
#include "trusted/tee/dev_report.h"
#include "trusted/tee/reporting_platform.h"

namespace soter {
namespace {

constexpr size_t kSeedBytes = 32, kMaxProgramBytes = 1u << 30;
constexpr char kProgram[] = "/proc/self/exe";

class DevPlatform final : public internal::ReportingPlatform {
 public:
  enum class Lifetime : uint8_t { kProcess, kInstall };  // of the key
  DevPlatform(DeviceIo& io, Ed25519Seed seed, Lifetime lifetime) : io_(io), seed_(std::move(seed)), lifetime_(lifetime) {}

  PlatformKind kind() const override { return PlatformKind::kDev; }
  std::string Describe() const override { return kDevWarning; }

  Result<Secret<std::array<std::byte, 32>>> SealingKey(std::string_view purpose) override {
    if (lifetime_ == Lifetime::kProcess)
      return Unsupported("a development TEE that made up its key seals nothing: give --dev-key");
    // As in a TEE, another program derives another key; the file of the seed is what protects it.
    Sha256::Digest measurement = Digest<Sha256>(TRY(ReadDeviceFile(io_, kProgram, kMaxProgramBytes)));
    return HkdfSha256(HkdfSha256(seed_.Expose(), AsBytes("soter sealing dev"), AsText(measurement)).Expose(), {}, purpose);
  }

 protected:
  Result<PlatformReport> MakeReport(const ReportData& report_data) override {
    DevReport report = {.measurement = Digest<Sha256>(TRY(ReadDeviceFile(io_, kProgram, kMaxProgramBytes))),
                        .report_data = report_data,
                        .public_key = Ed25519Public(seed_)};
    report.signature = SignEd25519(seed_, DevSignedBytes(report));
    return PlatformReport{.report = EncodeDevReport(report)};
  }

 private:
  DeviceIo& io_;
  Ed25519Seed seed_;
  Lifetime lifetime_;
};

}  // namespace

Result<std::unique_ptr<Platform>> OpenDev(DeviceIo& io, const std::string& key_file) {
  std::vector<std::byte> bytes = TRY(ReadDeviceFile(io, key_file, kSeedBytes));
  if (bytes.size() != kSeedBytes) return Malformed(key_file + " is not a dev key of 32 bytes");
  Ed25519Seed seed;
  std::copy(bytes.begin(), bytes.end(), seed.Expose().begin());
  Wipe(bytes);
  return std::unique_ptr<Platform>(std::make_unique<DevPlatform>(io, std::move(seed), DevPlatform::Lifetime::kInstall));
}

Result<std::unique_ptr<Platform>> OpenDevOnce(DeviceIo& io) {
  Ed25519Seed seed = TRY(RandomSecret<kSeedBytes>());
  return std::unique_ptr<Platform>(std::make_unique<DevPlatform>(io, std::move(seed), DevPlatform::Lifetime::kProcess));
}

Status InstallDevKey(const std::string& key_file) {
  Secret<std::array<std::byte, kSeedBytes>> seed = TRY(RandomSecret<kSeedBytes>());
  UniqueFd file(::open(key_file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return Unavailable("cannot make " + key_file + ": " + std::strerror(errno));
  ssize_t written = ::write(file.get(), seed.Expose().data(), kSeedBytes);
  if (written == static_cast<ssize_t>(kSeedBytes) && ::fsync(file.get()) == 0) return {};
  ::unlink(key_file.c_str());
  return Unavailable("cannot write " + key_file);
}

}  // namespace soter
