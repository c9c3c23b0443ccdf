#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace soter {

// DeviceIo is the few system calls that a platform makes, so that tests can be the kernel. Each method behaves like
// the call of its name: -1 and errno on an error.
class DeviceIo {
 public:
  // `root` is put before every path: "" is the real system.
  explicit DeviceIo(std::string root = "") : root_(std::move(root)) {}
  virtual ~DeviceIo() = default;

  virtual int Open(const std::string& path, int flags);
  virtual ssize_t Read(int fd, std::span<std::byte> out);
  virtual ssize_t Write(int fd, ByteView bytes);
  virtual int Close(int fd);
  virtual int MakeDirectory(const std::string& path);
  virtual int RemoveDirectory(const std::string& path);
  virtual int Ioctl(int fd, unsigned long request, void* argument);
  virtual bool Exists(const std::string& path);
  virtual void Pause(int milliseconds);

 private:
  std::string root_;
};

// ReadDeviceFile reads `path` to its end, over short reads and EINTR; where the device is busy it tries again, up to
// 8 times within about a second. Errors: kUnavailable (cannot be opened or read, or stays busy), kMalformed (more
// than `max_bytes`).
Result<std::vector<std::byte>> ReadDeviceFile(DeviceIo& io, const std::string& path, size_t max_bytes);

// WriteDeviceFile writes `bytes` through one open file, over partial writes and EINTR; busy as above.
// Errors: kUnavailable.
Status WriteDeviceFile(DeviceIo& io, const std::string& path, ByteView bytes);

}  // namespace soter
