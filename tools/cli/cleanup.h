#pragma once

#include <functional>

namespace soter {

// Cleanup runs an action once: when it goes out of scope, or when a signal ends the program. Actions may run on
// another thread than the one that made them, while that one works on; they must not make or destroy a Cleanup.
class Cleanup {
 public:
  explicit Cleanup(std::function<void()> action);
  Cleanup(const Cleanup&) = delete;
  ~Cleanup();

 private:
  friend void CleanUpOnSignals();
  std::function<void()> action_;
};

// CleanUpOnSignals makes SIGINT, SIGTERM, SIGHUP and SIGQUIT run all actions, newest first, and then end the program
// in their usual way. Called once, first thing in main, while there is one thread. SIGPIPE is ignored from then on.
void CleanUpOnSignals();

}  // namespace soter
