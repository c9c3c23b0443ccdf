#include <fcntl.h>
#include <linux/sev-guest.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/reader.h"
#include "trusted/crypto/hkdf.h"
#include "trusted/tee/reporting_platform.h"
#include "trusted/tee/snp_certificates.h"

namespace soter {
namespace {

constexpr char kDevice[] = "/dev/sev-guest";
constexpr size_t kReportBytes = 1184, kCertificateBytes = 4 * 4096, kKeyBytes = 32;
// The derived key depends on the guest's policy and on its measurement, so that other code gets another key
// (SEV-SNP ABI, GUEST_FIELD_SELECT).
constexpr uint64_t kBindPolicyAndMeasurement = 1u << 0 | 1u << 3;

class SevGuestPlatform final : public internal::ReportingPlatform {
 public:
  explicit SevGuestPlatform(DeviceIo& io) : io_(io) {}

  PlatformKind kind() const override { return PlatformKind::kSnp; }
  std::string Describe() const override { return "SEV-SNP guest (/dev/sev-guest)"; }

  Result<Secret<std::array<std::byte, 32>>> SealingKey(std::string_view purpose) override {
    snp_derived_key_req request = {.guest_field_select = kBindPolicyAndMeasurement};
    snp_derived_key_resp response = {};
    Status asked = Ask(SNP_GET_DERIVED_KEY, &request, &response);
    std::span<std::byte> raw = std::as_writable_bytes(std::span(response.data));
    Result<Secret<std::array<std::byte, 32>>> key = asked.ok() ? ReadKey(raw, purpose) : std::move(asked).error();
    Wipe(raw);
    return key;
  }

 protected:
  Result<PlatformReport> MakeReport(const ReportData& report_data) override {
    std::vector<std::byte> table(kCertificateBytes);
    snp_ext_report_req request = {};
    std::memcpy(request.data.user_data, report_data.data(), report_data.size());
    request.certs_address = reinterpret_cast<uint64_t>(table.data());
    request.certs_len = static_cast<uint32_t>(table.size());
    snp_report_resp response = {};
    TRY(Ask(SNP_GET_EXT_REPORT, &request, &response));
    PlatformReport report = {.report = TRY(ReadReport(std::as_bytes(std::span(response.data))))};
    report.certificates = TRY(ParseSnpCertificateTable(table));
    return report;
  }

 private:
  // MSG_REPORT_RSP: status, size, 24 reserved bytes, the report.
  static Result<std::vector<std::byte>> ReadReport(ByteView response) {
    Reader reader(response);
    uint32_t status = TRY(reader.ReadNumber<uint32_t>()), size = TRY(reader.ReadNumber<uint32_t>());
    if (status != 0) return Unavailable("the SNP firmware refused a report, status " + std::to_string(status));
    if (size != kReportBytes) return Malformed("the SNP firmware's report is not 1184 bytes");
    TRY(reader.ReadBytes(24));
    ByteView report = TRY(reader.ReadBytes(size));
    return std::vector<std::byte>(report.begin(), report.end());
  }

  // MSG_KEY_RSP: status, 28 reserved bytes, the key.
  static Result<Secret<std::array<std::byte, 32>>> ReadKey(ByteView response, std::string_view purpose) {
    Reader reader(response);
    uint32_t status = TRY(reader.ReadNumber<uint32_t>());
    if (status != 0) return Unavailable("the SNP firmware refused a key, status " + std::to_string(status));
    TRY(reader.ReadBytes(28));
    return HkdfSha256(TRY(reader.ReadBytes(kKeyBytes)), AsBytes("soter sealing snp"), purpose);
  }

  Status Ask(unsigned long call, void* request, void* response) {
    int fd = io_.Open(kDevice, O_RDWR | O_CLOEXEC);
    if (fd < 0) return Unavailable(std::string("cannot open ") + kDevice + ": " + std::strerror(errno));
    snp_guest_request_ioctl message = {.msg_version = 1,
                                       .req_data = reinterpret_cast<uint64_t>(request),
                                       .resp_data = reinterpret_cast<uint64_t>(response)};
    int done, error, attempt = 0;
    do {  // the host limits how often it answers, and says so with these two
      if (attempt > 0) io_.Pause(4 << attempt);
      done = io_.Ioctl(fd, call, &message), error = errno;
    } while (done < 0 && (error == EBUSY || error == EAGAIN || error == EINTR) && ++attempt < 8);
    io_.Close(fd);
    if (done < 0)
      return Unavailable(std::string(kDevice) + ": " + std::strerror(error) + ", firmware error " +
                         std::to_string(message.fw_error) + ", host error " + std::to_string(message.vmm_error));
    return {};
  }

  DeviceIo& io_;
};

}  // namespace

Result<std::unique_ptr<Platform>> OpenSevGuest(DeviceIo& io) {
  if (!io.Exists(kDevice)) return Unavailable(std::string("no ") + kDevice + ": not an SEV-SNP guest");
  return std::unique_ptr<Platform>(std::make_unique<SevGuestPlatform>(io));
}

}  // namespace soter
