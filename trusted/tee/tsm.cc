#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "trusted/tee/reporting_platform.h"
#include "trusted/tee/snp_certificates.h"

namespace soter {
namespace {

// Linux, Documentation/ABI/testing/configfs-tsm: make a directory, write inblob, read outblob, remove the directory.
constexpr char kReports[] = "/sys/kernel/config/tsm/report";
constexpr size_t kMaxBlobBytes = 64 * 1024, kMaxWordBytes = 64;
constexpr int kNameAttempts = 16, kRaceAttempts = 3;

// TsmEntry is a report directory that removes itself.
class TsmEntry {
 public:
  // Errors: kUnavailable; kUnsupported where the kernel has configfs-tsm, but no TEE behind it.
  static Result<std::unique_ptr<TsmEntry>> Make(DeviceIo& io) {
    static int serial = 0;
    for (int i = 0; i < kNameAttempts; ++i) {
      std::string path =
          std::string(kReports) + "/soter-" + std::to_string(::getpid()) + "-" + std::to_string(++serial);
      if (io.MakeDirectory(path) == 0) return std::unique_ptr<TsmEntry>(new TsmEntry(io, path));
      if (errno == ENXIO) return Unsupported(std::string(kReports) + " is there, but no TEE behind it");
      if (errno != EEXIST)
        return Unavailable("cannot make " + path + ": " + std::strerror(errno) +
                           "; configfs must be mounted and writable");
    }
    return Unavailable(std::string("every name tried under ") + kReports + " is taken");
  }
  ~TsmEntry() { io_.RemoveDirectory(path_); }
  TsmEntry(const TsmEntry&) = delete;
  TsmEntry& operator=(const TsmEntry&) = delete;

  std::string File(const char* name) const { return path_ + "/" + name; }

  Result<std::string> ReadWord(const char* name) {
    std::vector<std::byte> bytes = TRY(ReadDeviceFile(io_, File(name), kMaxWordBytes));
    std::string word(AsText(bytes));
    while (word.ends_with('\n')) word.pop_back();
    return word;
  }

  // The kernel counts every write to the entry here.
  Result<uint64_t> ReadGeneration() { return ReadNumber("generation"); }

  // Beside an SVSM the guest runs at a lower privilege level (VMPL) than 0, can ask for no report of a higher one, and
  // is told here what it can ask for; the kernel's own default is 0.
  Status AskForOwnPrivilegeLevel() {
    if (!io_.Exists(File("privlevel_floor"))) return {};
    uint64_t level = TRY(ReadNumber("privlevel_floor"));
    if (level == 0) return {};
    return WriteDeviceFile(io_, File("privlevel"), AsBytes(std::to_string(level)));
  }

 private:
  Result<uint64_t> ReadNumber(const char* name) {
    std::string text = TRY(ReadWord(name));
    uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
      return Malformed(std::string("configfs-tsm's ") + name + " is no number");
    return number;
  }

  TsmEntry(DeviceIo& io, std::string path) : io_(io), path_(std::move(path)) {}
  DeviceIo& io_;
  std::string path_;
};

Result<PlatformKind> KindOfProvider(const std::string& provider) {
  if (provider == "tdx_guest") return PlatformKind::kTdx;
  if (provider == "sev_guest") return PlatformKind::kSnp;
  return Unsupported("configfs-tsm's provider \"" + provider + "\" is neither tdx_guest nor sev_guest");
}

class TsmPlatform final : public internal::ReportingPlatform {
 public:
  TsmPlatform(DeviceIo& io, PlatformKind kind) : io_(io), kind_(kind) {}

  PlatformKind kind() const override { return kind_; }
  std::string Describe() const override {
    return kind_ == PlatformKind::kTdx ? "TDX trust domain (configfs-tsm)" : "SEV-SNP guest (configfs-tsm)";
  }

  // An SNP guest may have another way to a key; a TDX guest has none.
  Result<Secret<std::array<std::byte, 32>>> SealingKey(std::string_view purpose) override {
    if (kind_ == PlatformKind::kTdx)
      return Unsupported("TDX gives guests no sealing key: take keys from a broker at every start");
    std::unique_ptr<Platform> guest = TRY(OpenSevGuest(io_));
    return guest->SealingKey(purpose);
  }

 protected:
  Result<PlatformReport> MakeReport(const ReportData& report_data) override {
    for (int i = 0; i < kRaceAttempts; ++i) {
      Result<PlatformReport> report = TryReport(report_data);
      if (report.ok() || report.error().code != ErrorCode::kIntegrity) return report;
    }
    return Unavailable("another process keeps writing to our configfs-tsm entries");
  }

 private:
  // Errors: kIntegrity where somebody else wrote to the entry meanwhile, so that outblob may answer them.
  Result<PlatformReport> TryReport(const ReportData& report_data) {
    std::unique_ptr<TsmEntry> entry = TRY(TsmEntry::Make(io_));
    TRY(entry->AskForOwnPrivilegeLevel());
    uint64_t before = TRY(entry->ReadGeneration());
    TRY(WriteDeviceFile(io_, entry->File("inblob"), report_data));
    PlatformReport report;
    report.report = TRY(ReadDeviceFile(io_, entry->File("outblob"), kMaxBlobBytes));
    if (kind_ == PlatformKind::kSnp) report.certificates = TRY(ReadCertificates(*entry));
    if (TRY(entry->ReadGeneration()) != before + 1)
      return IntegrityError("the configfs-tsm entry was written to by others");
    return report;
  }

  // A host that hands out no certificates leaves the file empty or away.
  Result<std::vector<std::vector<std::byte>>> ReadCertificates(TsmEntry& entry) {
    if (!io_.Exists(entry.File("auxblob"))) return std::vector<std::vector<std::byte>>();
    return ParseSnpCertificateTable(TRY(ReadDeviceFile(io_, entry.File("auxblob"), kMaxBlobBytes)));
  }

  DeviceIo& io_;
  PlatformKind kind_;
};

}  // namespace

Result<std::unique_ptr<Platform>> OpenTsm(DeviceIo& io) {
  if (!io.Exists(kReports))
    return Unavailable(std::string("no ") + kReports + ": no TDX or SNP guest with Linux 6.7 or later");
  Result<std::unique_ptr<TsmEntry>> entry = TsmEntry::Make(io);
  if (!entry.ok() && entry.error().code == ErrorCode::kUnsupported) return Unavailable(entry.error().message);
  if (!entry.ok()) return internal::Broken(std::move(entry).error());
  Result<std::string> provider = (*entry)->ReadWord("provider");
  if (!provider.ok()) return internal::Broken(std::move(provider).error());
  PlatformKind kind = TRY(KindOfProvider(*provider));
  return std::unique_ptr<Platform>(std::make_unique<TsmPlatform>(io, kind));
}

}  // namespace soter
