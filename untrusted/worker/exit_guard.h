#pragma once

#include <chrono>
#include <thread>

#include "common/base/unique_fd.h"

namespace soter {

// ExitGuard sees to it that a process that was told to stop does, even when a device that answers no more holds its
// threads: when `stop_fd` has been readable for `grace` and the guard still lives, the process exits with code 0.
class ExitGuard {
 public:
  ExitGuard(int stop_fd, std::chrono::milliseconds grace);
  ExitGuard(const ExitGuard&) = delete;
  ~ExitGuard();

 private:
  void Watch(int stop_fd, std::chrono::milliseconds grace) const;

  UniqueFd ended_;  // becomes readable when the guard is no longer needed
  std::thread thread_;
};

}  // namespace soter
