#include <optional>

#include "trusted/tee/platform.h"

namespace soter {
namespace {

// A TEE that is there but fails must not be taken for a machine without one.
Error WhyNone(const std::string& missing, const std::optional<Error>& broken) {
  return broken ? *broken : Unavailable("no TEE here" + missing + "; for development, give a dev key");
}

}  // namespace

Result<std::unique_ptr<Platform>> DetectPlatform(DeviceIo& io, const std::string& dev_key_file) {
  std::string missing;
  std::optional<Error> broken;
  for (auto open : {OpenGramine, OpenTsm, OpenSevGuest}) {
    Result<std::unique_ptr<Platform>> platform = open(io);
    if (platform.ok() && !dev_key_file.empty())
      return InvalidArgument("a dev key was given, but this machine has a TEE: " + (*platform)->Describe());
    if (platform.ok()) return platform;
    missing += "; " + platform.error().message;
    if (platform.error().code != ErrorCode::kUnavailable && !broken) broken = platform.error();
  }
  if (broken || dev_key_file.empty()) return WhyNone(missing, broken);
  return OpenDev(io, dev_key_file);
}

Result<std::unique_ptr<Platform>> DetectEnclavePlatform(DeviceIo& io, const std::string& dev_key_file) {
  Result<std::unique_ptr<Platform>> platform = DetectPlatform(io, dev_key_file);
  bool nothing_here = !platform.ok() && platform.error().code == ErrorCode::kUnavailable && dev_key_file.empty();
  return nothing_here ? OpenDevOnce(io) : std::move(platform);
}

}  // namespace soter
