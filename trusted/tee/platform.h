#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/secret.h"
#include "trusted/tee/device_io.h"
#include "trusted/tee/platform_kind.h"

namespace soter {

using ReportData = std::array<std::byte, 64>;

// PlatformReport is what the platform signs, and the certificates that came with it.
struct PlatformReport {
  std::vector<std::byte> report;
  std::vector<std::vector<std::byte>> certificates;  // DER, leaf first; often empty
};

// Platform is what isolates this process. Every method talks to the host's kernel or firmware, which may fail, stall
// or lie; what they return is checked by whoever verifies the evidence.
class Platform {
 public:
  virtual ~Platform() = default;

  virtual PlatformKind kind() const = 0;
  virtual std::string Describe() const = 0;  // one line for people

  // Produce has the platform sign `report_data`. The report is checked to hold just that.
  // Errors: kUnavailable (the device refuses, is busy, or answers somebody else's question), kMalformed.
  virtual Result<PlatformReport> Produce(const ReportData& report_data) = 0;

  // Measurement returns what identifies the code that runs: MRENCLAVE, MRTD, launch measurement, program digest.
  virtual Result<std::vector<std::byte>> Measurement() = 0;

  // SealingKey derives a key that only this code on this machine can derive again, one per `purpose`.
  // Errors: kUnsupported (the platform has none), kUnavailable.
  virtual Result<Secret<std::array<std::byte, 32>>> SealingKey(std::string_view purpose) = 0;
};

// Each Open* returns the platform if this machine has it. Errors: kUnavailable (it has not; says what is missing),
// kExhausted (its device is there and fails), kUnsupported (a TEE of another kind).
// `io` must outlive the platform.
Result<std::unique_ptr<Platform>> OpenGramine(DeviceIo& io);   // SGX: /dev/attestation
Result<std::unique_ptr<Platform>> OpenTsm(DeviceIo& io);       // TDX and SNP: configfs-tsm, Linux 6.7
Result<std::unique_ptr<Platform>> OpenSevGuest(DeviceIo& io);  // SNP: /dev/sev-guest, older kernels and sealing keys
Result<std::unique_ptr<Platform>> OpenDev(DeviceIo& io, const std::string& key_file);

// OpenDevOnce is the dev platform with a key of this process alone, which no policy can know beforehand.
// Errors: kUnavailable (no randomness).
Result<std::unique_ptr<Platform>> OpenDevOnce(DeviceIo& io);

// InstallDevKey makes the dev platform's key in a new file that its owner alone can read.
// Errors: kUnavailable (the file is there already, or cannot be written).
Status InstallDevKey(const std::string& key_file);

// DetectPlatform tries SGX, configfs-tsm and sev-guest, in this order. A dev platform is never a fallback: it is
// opened where `dev_key_file` is given and only then, and refused on a machine that has a TEE.
// Errors: kUnavailable (none is there; says what was looked for), kInvalidArgument (dev beside a TEE), kExhausted and
// kUnsupported as above (none could be opened, and one is there).
Result<std::unique_ptr<Platform>> DetectPlatform(DeviceIo& io, const std::string& dev_key_file);

// DetectEnclavePlatform is what an enclave starts with: DetectPlatform, or OpenDevOnce where no device of a TEE is to
// be found: one that fails is an error, no reason to go on unprotected. Errors: those of DetectPlatform, OpenDevOnce.
Result<std::unique_ptr<Platform>> DetectEnclavePlatform(DeviceIo& io, const std::string& dev_key_file);

}  // namespace soter
