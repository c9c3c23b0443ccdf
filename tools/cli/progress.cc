#include "tools/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/cli/text.h"

namespace soter {

namespace {
constexpr int kBarColumns = 30;
}  // namespace

Progress::Progress() : on_terminal_(::isatty(STDERR_FILENO) == 1) {}
Progress::~Progress() { Clear(); }

void Progress::Show(const std::string& what, double fraction) {
  if (!on_terminal_) return;
  fraction = std::clamp(fraction, 0.0, 1.0);
  auto filled = static_cast<size_t>(fraction * kBarColumns);
  std::string bar = std::string(filled, '#') + std::string(kBarColumns - filled, '.');
  std::fprintf(stderr, "\r[%s] %3.0f%% %.60s\033[K", bar.c_str(), 100 * fraction,
               TerminalSafe(what, Lines::kJoin).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::Clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace soter
