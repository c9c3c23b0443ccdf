#include "tools/integrity/campaign.h"

#include <atomic>
#include <csignal>
#include <cstdio>

namespace soter::integrity {
namespace {

std::atomic<bool> stopped = false;

}  // namespace

bool Stopped() { return stopped; }

void StopOnInterrupt() {
  std::signal(SIGINT, [](int) { stopped = true; });
}

void EndByInterrupt() {
  std::signal(SIGINT, SIG_DFL);
  std::raise(SIGINT);
}

void Say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace soter::integrity
