#include "trusted/tee/platform.h"

namespace soter {

Result<std::unique_ptr<Platform>> DetectPlatform(DeviceIo& io, const std::string& dev_key_file) {
  std::string missing;
  for (auto open : {OpenGramine, OpenTsm, OpenSevGuest}) {
    Result<std::unique_ptr<Platform>> platform = open(io);
    if (platform.ok() && !dev_key_file.empty())
      return InvalidArgument("a dev key was given, but this machine has a TEE: " + (*platform)->Describe());
    if (platform.ok()) return platform;
    missing += "; " + platform.error().message;
  }
  if (!dev_key_file.empty()) return OpenDev(io, dev_key_file);
  return Unavailable("no TEE here" + missing + "; for development, give a dev key");
}

}  // namespace soter
