#include "common/base/bytes.h"
#include "trusted/crypto/hkdf.h"
#include "trusted/tee/reporting_platform.h"

namespace soter {
namespace {

constexpr char kTypeFile[] = "/dev/attestation/attestation_type",
               kReportDataFile[] = "/dev/attestation/user_report_data", kQuoteFile[] = "/dev/attestation/quote",
               kSealingKeyFile[] = "/dev/attestation/keys/_sgx_mrenclave";
constexpr size_t kMaxQuoteBytes = 64 * 1024, kSealingKeyBytes = 16;

// Gramine gives each process pseudo-files of its own, so nothing can come between writing and reading.
class GraminePlatform final : public internal::ReportingPlatform {
 public:
  explicit GraminePlatform(DeviceIo& io) : io_(io) {}

  PlatformKind kind() const override { return PlatformKind::kSgx; }
  std::string Describe() const override { return "SGX enclave under Gramine"; }

  Result<Secret<std::array<std::byte, 32>>> SealingKey(std::string_view purpose) override {
    std::vector<std::byte> key = TRY(ReadDeviceFile(io_, kSealingKeyFile, kSealingKeyBytes));
    if (key.size() != kSealingKeyBytes) return Malformed("Gramine's sealing key is not 16 bytes");
    // Gramine may encrypt mounts with the same key: what leaves here is derived from it.
    Secret<std::array<std::byte, 32>> derived = HkdfSha256(key, AsBytes("soter sealing sgx"), purpose);
    Wipe(key);
    return derived;
  }

 protected:
  Result<PlatformReport> MakeReport(const ReportData& report_data) override {
    TRY(WriteDeviceFile(io_, kReportDataFile, report_data));
    return PlatformReport{.report = TRY(ReadDeviceFile(io_, kQuoteFile, kMaxQuoteBytes))};
  }

 private:
  DeviceIo& io_;
};

}  // namespace

Result<std::unique_ptr<Platform>> OpenGramine(DeviceIo& io) {
  if (!io.Exists(kTypeFile))
    return Unavailable(std::string("no ") + kTypeFile + ": not an SGX enclave under Gramine");
  Result<std::vector<std::byte>> type = ReadDeviceFile(io, kTypeFile, 64);
  if (!type.ok()) return internal::Broken(std::move(type).error());
  std::string_view text = AsText(*type);
  while (text.ends_with('\n') || text.ends_with('\0')) text.remove_suffix(1);
  // Under gramine-direct, and in an enclave that was built without attestation, there is nothing to prove anything by.
  if (text == "none") return Unavailable("Gramine runs without remote attestation");
  if (text != "dcap")
    return Unsupported("Gramine's attestation type is \"" + std::string(text) +
                       "\"; set sgx.remote_attestation = \"dcap\" in the manifest");
  return std::unique_ptr<Platform>(std::make_unique<GraminePlatform>(io));
}

}  // namespace soter
