#include "tools/cli/cleanup.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

namespace soter {

namespace {

// The actions that are still to run. Never destroyed: the signal thread may outlive main.
struct Registry {
  std::mutex mutex;
  std::vector<Cleanup*> live;
};
Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
  return signals;
}

// EndBy ends the program as `signal` would have, so that a shell sees what happened.
[[noreturn]] void EndBy(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace

Cleanup::Cleanup(std::function<void()> action) : action_(std::move(action)) {
  std::lock_guard lock(TheRegistry().mutex);
  TheRegistry().live.push_back(this);
}

Cleanup::~Cleanup() {
  // Held while the action runs: a signal in the middle waits for its end.
  std::lock_guard lock(TheRegistry().mutex);
  std::erase(TheRegistry().live, this);
  action_();
}

void CleanUpOnSignals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    TheRegistry().mutex.lock();  // for good: nothing new may be registered any more
    auto& live = TheRegistry().live;
    for (auto cleanup = live.rbegin(); cleanup != live.rend(); ++cleanup) (*cleanup)->action_();
    EndBy(signal);
  }).detach();
}

}  // namespace soter
