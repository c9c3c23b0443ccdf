#include "trusted/tee/device_io.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace soter {
namespace {

constexpr int kAttempts = 8;

bool IsBusy(int error) { return error == EBUSY || error == EAGAIN; }

Error Refused(const char* what, const std::string& path, int error) {
  return Unavailable(std::string("cannot ") + what + " " + path + ": " + std::strerror(error));
}

// A file that closes itself; what a device says on close (configfs reports a refused write there) is not lost.
class DeviceFile {
 public:
  DeviceFile(DeviceIo& io, const std::string& path, int flags) : io_(io), fd_(io.Open(path, flags)) {}
  ~DeviceFile() { Close(); }
  DeviceFile(const DeviceFile&) = delete;
  DeviceFile& operator=(const DeviceFile&) = delete;

  int fd() const { return fd_; }
  int Close() { return fd_ < 0 ? 0 : io_.Close(std::exchange(fd_, -1)); }

 private:
  DeviceIo& io_;
  int fd_;
};

// One attempt; returns an errno, 0 for success. `out` holds what was read; more than `max_bytes` is EFBIG.
int ReadOnce(DeviceIo& io, const std::string& path, size_t max_bytes, std::vector<std::byte>& out) {
  DeviceFile file(io, path, O_RDONLY | O_CLOEXEC);
  if (file.fd() < 0) return errno;
  out.clear();
  while (true) {
    size_t have = out.size();
    out.resize(std::min(max_bytes + 1, have + 4096));
    if (out.size() == have) return EFBIG;
    ssize_t count = io.Read(file.fd(), std::span(out).subspan(have));
    out.resize(have + (count > 0 ? static_cast<size_t>(count) : 0));
    if (count == 0) return 0;
    if (count < 0 && errno != EINTR) return errno;
  }
}

int WriteOnce(DeviceIo& io, const std::string& path, ByteView bytes) {
  DeviceFile file(io, path, O_WRONLY | O_CLOEXEC);
  if (file.fd() < 0) return errno;
  while (!bytes.empty()) {
    ssize_t count = io.Write(file.fd(), bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return EIO;  // a device that takes nothing would hold us here for ever
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return file.Close() == 0 ? 0 : errno;
}

template <typename Attempt>
int RetryWhileBusy(DeviceIo& io, Attempt attempt) {
  for (int i = 0;; ++i) {
    int error = attempt();
    if (!IsBusy(error) || i + 1 == kAttempts) return error;
    io.Pause(4 << i);
  }
}

}  // namespace

int DeviceIo::Open(const std::string& path, int flags) { return ::open((root_ + path).c_str(), flags); }
ssize_t DeviceIo::Read(int fd, std::span<std::byte> out) { return ::read(fd, out.data(), out.size()); }
ssize_t DeviceIo::Write(int fd, ByteView bytes) { return ::write(fd, bytes.data(), bytes.size()); }
int DeviceIo::Close(int fd) { return ::close(fd); }
int DeviceIo::MakeDirectory(const std::string& path) { return ::mkdir((root_ + path).c_str(), 0700); }
int DeviceIo::RemoveDirectory(const std::string& path) { return ::rmdir((root_ + path).c_str()); }
int DeviceIo::Ioctl(int fd, unsigned long request, void* argument) { return ::ioctl(fd, request, argument); }
bool DeviceIo::Exists(const std::string& path) { return ::access((root_ + path).c_str(), F_OK) == 0; }
void DeviceIo::Pause(int milliseconds) { ::usleep(static_cast<useconds_t>(milliseconds) * 1000); }

Result<std::vector<std::byte>> ReadDeviceFile(DeviceIo& io, const std::string& path, size_t max_bytes) {
  std::vector<std::byte> bytes;
  int error = RetryWhileBusy(io, [&] { return ReadOnce(io, path, max_bytes, bytes); });
  if (error == EFBIG && bytes.size() > max_bytes)
    return Malformed(path + " holds more than " + std::to_string(max_bytes) + " bytes");
  if (error != 0) return Refused("read", path, error);
  return bytes;
}

Status WriteDeviceFile(DeviceIo& io, const std::string& path, ByteView bytes) {
  int error = RetryWhileBusy(io, [&] { return WriteOnce(io, path, bytes); });
  if (error != 0) return Refused("write", path, error);
  return {};
}

}  // namespace soter
