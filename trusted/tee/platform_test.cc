#include "trusted/tee/platform.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sev-guest.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "trusted/crypto/ed25519.h"
#include "trusted/tee/dev_report.h"
#include "trusted/tee/snp_certificates.h"

namespace soter {
namespace {

constexpr char kReports[] = "/sys/kernel/config/tsm/report";

// FakeKernel holds files in memory and has the habits that real devices have, each on demand.
class FakeKernel : public DeviceIo {
 public:
  struct Habits {
    size_t max_write = SIZE_MAX, max_read = SIZE_MAX;
    int busy_opens = 0;       // that many opens fail with EBUSY first
    int busy_reads = 0, busy_writes = 0;  // the same of calls on an open file, after `good_calls` of them
    int good_calls = 0;
    bool interrupts = false;  // every other read and write fails with EINTR first
    bool takes_nothing = false;
    bool refuses_on_close = false;
    int races = 0;      // that many outblobs answer somebody else, and the generation shows it
    bool lies = false;  // the report answers somebody else, and nothing shows it
    bool aux = true;
    std::string privlevel_floor;  // empty: a kernel or TEE that has no such file
  } habits;

  std::map<std::string, std::string> files;
  std::string provider = "tdx_guest";
  int directories = 0, removed = 0, pauses = 0;

  int Open(const std::string& path, int flags) override {
    if (habits.busy_opens > 0) return --habits.busy_opens, Fail(EBUSY);
    if (!files.contains(path)) return Fail(ENOENT);
    open_[++next_fd_] = {path, 0};
    if ((flags & O_ACCMODE) == O_WRONLY) files[path].clear();
    return next_fd_;
  }
  ssize_t Read(int fd, std::span<std::byte> out) override {
    if (Interrupted()) return Fail(EINTR);
    if (IsBusy(habits.busy_reads)) return Fail(EBUSY);
    auto& [path, offset] = open_.at(fd);
    const std::string& text = files[path];
    size_t count = std::min({out.size(), habits.max_read, text.size() - offset});
    std::memcpy(out.data(), text.data() + offset, count);
    offset += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t Write(int fd, ByteView bytes) override {
    if (Interrupted()) return Fail(EINTR);
    if (IsBusy(habits.busy_writes)) return Fail(EBUSY);
    if (habits.takes_nothing) return 0;
    size_t count = std::min(bytes.size(), habits.max_write);
    files[open_.at(fd).first] += AsText(bytes.first(count));
    return static_cast<ssize_t>(count);
  }
  int Close(int fd) override {
    std::string path = open_.at(fd).first;
    open_.erase(fd);
    if (habits.refuses_on_close) return Fail(EINVAL);
    if (path.ends_with("/privlevel")) CountWrite(path.substr(0, path.size() - 10), 1);
    if (path.ends_with("/inblob")) AnswerTsm(path.substr(0, path.size() - 7));
    if (path == "/dev/attestation/user_report_data") files["/dev/attestation/quote"] = Quote(3, files[path]);
    return 0;
  }
  int MakeDirectory(const std::string& path) override {
    if (directory_error != 0) return Fail(directory_error);
    if (++directories <= taken_names) return Fail(EEXIST);
    files[path + "/provider"] = provider + "\n";
    files[path + "/generation"] = "0\n";
    files[path + "/inblob"] = files[path + "/outblob"] = "";
    if (habits.aux) files[path + "/auxblob"] = "";
    if (!habits.privlevel_floor.empty())
      files[path + "/privlevel_floor"] = habits.privlevel_floor, files[path + "/privlevel"] = "";
    return 0;
  }
  int RemoveDirectory(const std::string&) override { return ++removed, 0; }
  bool Exists(const std::string& path) override { return files.contains(path); }
  void Pause(int) override { ++pauses; }
  size_t open_count() const { return open_.size(); }

  // A report that holds `data` where its kind has report_data.
  static std::string Quote(uint8_t version, const std::string& data) {
    std::string quote(48 + 648, 'q');
    quote[0] = static_cast<char>(version), quote[1] = 0;
    size_t body = version == 5 ? 54 : 48;
    quote.replace(body + (version == 3 ? 320 : 520), data.size(), data);
    return quote;
  }
  static std::string SnpReport(const std::string& data) {
    std::string report(1184, 's');
    return report.replace(0x50, data.size(), data);
  }

  int taken_names = 0, directory_error = 0;

 private:
  static int Fail(int error) { return errno = error, -1; }
  bool IsBusy(int& left) {
    if (left == 0 || habits.good_calls-- > 0) return false;
    return --left, true;
  }
  bool Interrupted() { return habits.interrupts && (tick_ = !tick_); }
  void CountWrite(const std::string& entry, int count) {
    generations_[entry] += count;
    files[entry + "/generation"] = std::to_string(generations_[entry]) + "\n";
  }
  void AnswerTsm(const std::string& entry) {
    bool raced = habits.races > 0 && habits.races-- > 0;
    std::string data = raced || habits.lies ? std::string(64, 'x') : files[entry + "/inblob"];
    CountWrite(entry, raced ? 2 : 1);
    files[entry + "/outblob"] = provider == "tdx_guest" ? Quote(4, data) : SnpReport(data);
  }

  std::map<int, std::pair<std::string, size_t>> open_;
  std::map<std::string, int> generations_;
  int next_fd_ = 2;
  bool tick_ = false;
};

ReportData Question() {
  ReportData data;
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i);
  return data;
}

FakeKernel Gramine() {
  FakeKernel kernel;
  kernel.files["/dev/attestation/attestation_type"] = "dcap";
  kernel.files["/dev/attestation/user_report_data"] = "";
  kernel.files["/dev/attestation/keys/_sgx_mrenclave"] = std::string(16, 'k');
  return kernel;
}

FakeKernel Tsm(const std::string& provider) {
  FakeKernel kernel;
  kernel.files[kReports] = "";
  kernel.provider = provider;
  return kernel;
}

void ExpectAnswer(FakeKernel& kernel, PlatformKind kind) {
  std::unique_ptr<Platform> platform = DetectPlatform(kernel, "").value();
  EXPECT_EQ(platform->kind(), kind);
  Result<PlatformReport> report = platform->Produce(Question());
  EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
  EXPECT_EQ(kernel.open_count(), 0u);
}

Error ExpectError(FakeKernel& kernel, FakeKernel::Habits habits) {
  std::unique_ptr<Platform> platform = DetectPlatform(kernel, "").value();
  kernel.habits = habits;
  Result<PlatformReport> report = platform->Produce(Question());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(kernel.open_count(), 0u);
  return report.ok() ? Error{} : report.error();
}

TEST(Gramine, AnswersThroughPartialWritesShortReadsAndInterrupts) {
  FakeKernel kernel = Gramine();
  kernel.habits = {.max_write = 5, .max_read = 7, .interrupts = true};
  ExpectAnswer(kernel, PlatformKind::kSgx);
}

TEST(Gramine, AnswersOnceTheDeviceIsNoLongerBusy) {
  FakeKernel kernel = Gramine();
  kernel.habits.busy_opens = 3;
  ExpectAnswer(kernel, PlatformKind::kSgx);
  EXPECT_EQ(kernel.pauses, 3);
}

TEST(Gramine, ADeviceThatStaysBusyIsUnavailable) {
  FakeKernel kernel = Gramine();
  EXPECT_EQ(ExpectError(kernel, {.busy_opens = 100}).code, ErrorCode::kUnavailable);
}

TEST(Gramine, ADeviceThatTakesNothingIsUnavailable) {
  FakeKernel kernel = Gramine();
  EXPECT_EQ(ExpectError(kernel, {.takes_nothing = true}).code, ErrorCode::kUnavailable);
}

TEST(Gramine, AnErrorOnCloseIsNotLost) {
  FakeKernel kernel = Gramine();
  EXPECT_EQ(ExpectError(kernel, {.refuses_on_close = true}).code, ErrorCode::kUnavailable);
}

TEST(Gramine, WithoutDcapItIsNoPlatform) {
  FakeKernel kernel = Gramine();
  kernel.files["/dev/attestation/attestation_type"] = "none\n";
  EXPECT_EQ(OpenGramine(kernel).error().code, ErrorCode::kUnavailable);
  kernel.files["/dev/attestation/attestation_type"] = "epid\n";
  Error error = OpenGramine(kernel).error();
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_NE(error.message.find("sgx.remote_attestation"), std::string::npos);
}

TEST(Gramine, SealingKeysDifferByPurposeAndNeedSixteenBytes) {
  FakeKernel kernel = Gramine();
  std::unique_ptr<Platform> platform = OpenGramine(kernel).value();
  auto key = [&](const char* purpose) { return platform->SealingKey(purpose).value().Expose(); };
  EXPECT_EQ(key("a"), key("a"));
  EXPECT_NE(key("a"), key("b"));
  kernel.files["/dev/attestation/keys/_sgx_mrenclave"] = "short";
  EXPECT_EQ(platform->SealingKey("a").error().code, ErrorCode::kMalformed);
  kernel.files["/dev/attestation/keys/_sgx_mrenclave"] = std::string(17, 'k');
  EXPECT_EQ(platform->SealingKey("a").error().code, ErrorCode::kMalformed);
}

TEST(Tsm, AnswersForTdxAndSnpAndRemovesItsDirectories) {
  for (auto [provider, kind] : {std::pair("tdx_guest", PlatformKind::kTdx), {"sev_guest", PlatformKind::kSnp}}) {
    FakeKernel kernel = Tsm(provider);
    kernel.habits = {.max_write = 9, .max_read = 11, .interrupts = true};
    ExpectAnswer(kernel, kind);
    EXPECT_EQ(kernel.removed, 2);  // one to ask for the provider, one for the report
  }
}

TEST(Tsm, ANameThatIsTakenIsPassedOver) {
  FakeKernel kernel = Tsm("tdx_guest");
  kernel.taken_names = 3;
  ExpectAnswer(kernel, PlatformKind::kTdx);
  kernel.taken_names = 1000;
  EXPECT_EQ(OpenTsm(kernel).error().code, ErrorCode::kExhausted);
}

TEST(Tsm, AKernelWithoutATeeIsNotABrokenOne) {
  FakeKernel kernel = Tsm("tdx_guest");
  kernel.directory_error = ENXIO;
  EXPECT_EQ(OpenTsm(kernel).error().code, ErrorCode::kUnavailable);
  kernel.directory_error = EPERM;
  EXPECT_EQ(OpenTsm(kernel).error().code, ErrorCode::kExhausted);
}

// A busy device in the middle of a file: the whole file is written or read again, never the rest of it.
TEST(Tsm, ADeviceThatGetsBusyHalfwayIsAskedFromTheStart) {
  for (FakeKernel::Habits habits : {FakeKernel::Habits{.max_write = 7, .busy_writes = 3, .good_calls = 5},
                                    FakeKernel::Habits{.max_read = 100, .busy_reads = 3, .good_calls = 4}}) {
    for (const char* provider : {"tdx_guest", "sev_guest"}) {
      FakeKernel kernel = Tsm(provider);
      std::unique_ptr<Platform> platform = OpenTsm(kernel).value();
      kernel.habits = habits;
      Result<PlatformReport> report = platform->Produce(Question());
      ASSERT_TRUE(report.ok()) << report.error().message;
      EXPECT_EQ(kernel.habits.busy_reads + kernel.habits.busy_writes, 0);
      EXPECT_GT(kernel.pauses, 0);
    }
  }
}

TEST(Tsm, ARaceOnTheEntryIsTriedAgain) {
  FakeKernel kernel = Tsm("tdx_guest");
  kernel.habits.races = 2;
  ExpectAnswer(kernel, PlatformKind::kTdx);
  FakeKernel worse = Tsm("tdx_guest");
  EXPECT_EQ(ExpectError(worse, {.races = 3}).code, ErrorCode::kUnavailable);
}

TEST(Tsm, AnAnswerToAnotherQuestionIsRefused) {
  FakeKernel kernel = Tsm("sev_guest");
  Error error = ExpectError(kernel, {.lies = true});
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_NE(error.message.find("another request"), std::string::npos);
}

TEST(Tsm, AGuestBelowVmpl0AsksForItsOwnLevel) {
  for (auto [floor, asked] : {std::pair("0\n", ""), std::pair("2\n", "2")}) {
    FakeKernel kernel = Tsm("sev_guest");
    kernel.habits.privlevel_floor = floor;
    ASSERT_TRUE(OpenTsm(kernel).value()->Produce(Question()).ok()) << floor;
    std::string written;
    for (const auto& [path, text] : kernel.files)
      if (path.ends_with("/privlevel")) written += text;
    EXPECT_EQ(written, asked);
  }
  FakeKernel kernel = Tsm("sev_guest");
  kernel.habits.privlevel_floor = "none\n";
  EXPECT_EQ(OpenTsm(kernel).value()->Produce(Question()).error().code, ErrorCode::kMalformed);
}

TEST(Tsm, AnUnknownProviderIsNamed) {
  FakeKernel kernel = Tsm("arm_cca_guest");
  EXPECT_NE(OpenTsm(kernel).error().message.find("arm_cca_guest"), std::string::npos);
  EXPECT_EQ(OpenTsm(kernel).error().code, ErrorCode::kUnsupported);
}

TEST(Tsm, ATdxGuestHasNoSealingKey) {
  FakeKernel kernel = Tsm("tdx_guest");
  EXPECT_EQ(OpenTsm(kernel).value()->SealingKey("a").error().code, ErrorCode::kUnsupported);
}

TEST(Tsm, AnSnpHostThatGivesNoCertificatesIsNoError) {
  FakeKernel kernel = Tsm("sev_guest");
  kernel.habits.aux = false;
  ExpectAnswer(kernel, PlatformKind::kSnp);
}

// FakeFirmware answers the ioctls of /dev/sev-guest.
class FakeFirmware : public FakeKernel {
 public:
  FakeFirmware() { files["/dev/sev-guest"] = ""; }
  int busy = 0;
  uint32_t status = 0, report_bytes = 1184;

  int Ioctl(int, unsigned long request, void* argument) override {
    if (busy > 0) return --busy, errno = EBUSY, -1;
    auto* message = static_cast<snp_guest_request_ioctl*>(argument);
    auto* response = reinterpret_cast<char*>(message->resp_data);
    std::memcpy(response, &status, 4);
    if (request == SNP_GET_EXT_REPORT) {
      auto* ask = reinterpret_cast<snp_ext_report_req*>(message->req_data);
      // Linux, drivers/virt/coco/sev-guest: whole pages, at most SEV_FW_BLOB_MAX_SIZE.
      if (ask->certs_len > 0x4000 || ask->certs_len % 4096 != 0) return errno = EINVAL, -1;
      std::memcpy(response + 4, &report_bytes, 4);
      std::string data(reinterpret_cast<char*>(ask->data.user_data), 64), report = SnpReport(data);
      std::memcpy(response + 32, report.data(), report.size());
      return 0;
    }
    if (request != SNP_GET_DERIVED_KEY) return errno = ENOTTY, -1;
    std::memset(response + 32, 'k', 32);
    return 0;
  }
};

TEST(SevGuest, AnswersOnceTheHostIsNoLongerBusy) {
  FakeFirmware kernel;
  kernel.busy = 4;
  ExpectAnswer(kernel, PlatformKind::kSnp);
  EXPECT_EQ(kernel.pauses, 4);
}

TEST(SevGuest, RefusalsOfTheFirmwareAreErrors) {
  FakeFirmware kernel;
  std::unique_ptr<Platform> platform = OpenSevGuest(kernel).value();
  kernel.status = 0x16;
  EXPECT_EQ(platform->Produce(Question()).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(platform->SealingKey("a").error().code, ErrorCode::kUnavailable);
  kernel.status = 0, kernel.report_bytes = 1183;
  EXPECT_EQ(platform->Produce(Question()).error().code, ErrorCode::kMalformed);
  kernel.busy = 100;
  EXPECT_EQ(platform->Produce(Question()).error().code, ErrorCode::kUnavailable);
}

TEST(SevGuest, SealingKeysDifferByPurpose) {
  FakeFirmware kernel;
  std::unique_ptr<Platform> platform = OpenSevGuest(kernel).value();
  EXPECT_NE(platform->SealingKey("a").value().Expose(), platform->SealingKey("b").value().Expose());
}

TEST(SnpCertificates, TableIsReadInChainOrderAndBounded) {
  const std::string ark("\xc0\xb4\x06\xa4\xa8\x03\x49\x52\x97\x43\x3f\xb6\x01\x4c\xd0\xae", 16);
  const std::string vcek("\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd", 16);
  auto entry = [](const std::string& guid, uint32_t offset, uint32_t size) {
    return guid + std::string(reinterpret_cast<char*>(&offset), 4) + std::string(reinterpret_cast<char*>(&size), 4);
  };
  std::string table = entry(ark, 72, 3) + entry(vcek, 75, 4) + std::string(24, '\0') + "ARKVCEK";
  auto chain = ParseSnpCertificateTable(AsBytes(table)).value();
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(AsText(chain[0]), "VCEK");
  EXPECT_EQ(AsText(chain[1]), "ARK");
  for (auto [offset, size] : {std::pair<uint32_t, uint32_t>{72, 8}, {80, 0}, {UINT32_MAX, 1}, {1, UINT32_MAX}}) {
    std::string bad = entry(ark, offset, size) + std::string(24, '\0') + std::string(31, 'x');
    EXPECT_EQ(ParseSnpCertificateTable(AsBytes(bad)).ok(), offset + uint64_t{size} <= bad.size()) << offset;
  }
  std::string endless;
  for (int i = 0; i < 40; ++i) endless += entry(ark, 0, 0);
  EXPECT_EQ(ParseSnpCertificateTable(AsBytes(endless)).error().code, ErrorCode::kMalformed);
}

void WriteText(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class DevFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("soter-dev-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
    key_ = folder_ / "dev.key";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_, key_;
};

TEST_F(DevFile, ReportIsSignedAndNamesTheProgram) {
  ASSERT_TRUE(InstallDevKey(key_).ok());
  EXPECT_EQ(std::filesystem::status(key_).permissions(), std::filesystem::perms(0600));
  DeviceIo io;
  std::unique_ptr<Platform> platform = DetectPlatform(io, key_).value();
  EXPECT_EQ(platform->kind(), PlatformKind::kDev);
  EXPECT_EQ(platform->Describe(), "development TEE: a plain process, protects nothing");
  DevReport report = DecodeDevReport(platform->Produce(Question()).value().report).value();
  EXPECT_TRUE(VerifyEd25519(report.public_key, DevSignedBytes(report), report.signature).ok());
  std::vector<std::byte> measurement = platform->Measurement().value();
  EXPECT_TRUE(
      std::equal(measurement.begin(), measurement.end(), report.measurement.begin(), report.measurement.end()));
}

TEST_F(DevFile, TheKeyIsMadeOnce) {
  ASSERT_TRUE(InstallDevKey(key_).ok());
  EXPECT_EQ(InstallDevKey(key_).error().code, ErrorCode::kUnavailable);
}

TEST_F(DevFile, AKeyOfAnotherLengthIsRefused) {
  DeviceIo io;
  EXPECT_EQ(OpenDev(io, key_).error().code, ErrorCode::kUnavailable);
  WriteText(key_, std::string(31, 'k'));
  EXPECT_EQ(OpenDev(io, key_).error().code, ErrorCode::kMalformed);
  WriteText(key_, std::string(33, 'k'));
  EXPECT_EQ(OpenDev(io, key_).error().code, ErrorCode::kMalformed);
}

TEST(Detect, OrderIsSgxThenTsmThenSevGuest) {
  FakeFirmware all;
  all.files[kReports] = "";
  all.provider = "sev_guest";
  EXPECT_EQ(DetectPlatform(all, "").value()->Describe(), "SEV-SNP guest (configfs-tsm)");
  all.files["/dev/attestation/attestation_type"] = "dcap\n";
  EXPECT_EQ(DetectPlatform(all, "").value()->kind(), PlatformKind::kSgx);
}

TEST(Detect, DevIsNeverAFallbackAndNeverBesideATee) {
  FakeKernel nothing;
  EXPECT_EQ(DetectPlatform(nothing, "").error().code, ErrorCode::kUnavailable);
  FakeKernel sgx = Gramine();
  EXPECT_EQ(DetectPlatform(sgx, "/key").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(DevFile, AnEnclaveWithoutATeeHasAKeyOfItsOwn) {
  DeviceIo io(folder_.string());  // nothing of this machine's shows through
  std::filesystem::create_directories(folder_ / "proc/self");
  WriteText(folder_ / "proc/self/exe", "program");
  auto key = [&] {
    std::unique_ptr<Platform> platform = DetectEnclavePlatform(io, "").value();
    EXPECT_EQ(platform->kind(), PlatformKind::kDev);
    EXPECT_EQ(platform->Describe(), kDevWarning);
    EXPECT_EQ(platform->SealingKey("a").error().code, ErrorCode::kUnsupported);  // nobody could derive it again
    return DecodeDevReport(platform->Produce({}).value().report).value().public_key;
  };
  EXPECT_NE(key(), key());
}

TEST_F(DevFile, SealingKeysAreOfTheInstallTheProgramAndThePurpose) {
  DeviceIo io(folder_.string());
  std::filesystem::create_directories(folder_ / "proc/self");
  WriteText(folder_ / "key", std::string(32, 'k'));
  WriteText(folder_ / "proc/self/exe", "program");
  auto key = [&](const char* purpose) { return OpenDev(io, "/key").value()->SealingKey(purpose).value().Expose(); };
  auto first = key("a");
  EXPECT_EQ(key("a"), first);
  EXPECT_NE(key("b"), first);
  WriteText(folder_ / "proc/self/exe", "changed");
  EXPECT_NE(key("a"), first);
  WriteText(folder_ / "proc/self/exe", "program");
  EXPECT_EQ(key("a"), first);
  WriteText(folder_ / "key", std::string(32, 'l'));
  EXPECT_NE(key("a"), first);
}

TEST(Detect, AnEnclaveWhoseTeeFailsDoesNotGoOnAsDev) {
  FakeKernel broken = Tsm("tdx_guest");
  broken.directory_error = EPERM;
  EXPECT_EQ(DetectEnclavePlatform(broken, "").error().code, ErrorCode::kExhausted);
  EXPECT_EQ(DetectEnclavePlatform(broken, "/key").error().code, ErrorCode::kExhausted);
  FakeKernel other = Tsm("arm_cca_guest");
  EXPECT_EQ(DetectEnclavePlatform(other, "").error().code, ErrorCode::kUnsupported);
  FakeKernel absent_key;
  EXPECT_EQ(DetectEnclavePlatform(absent_key, "/key").error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace soter
