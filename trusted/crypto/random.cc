#include "trusted/crypto/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

namespace soter {

Status FillRandom(std::span<std::byte> out) {
  size_t filled = 0;
  while (filled < out.size()) {
    ssize_t size = ::getrandom(out.data() + filled, out.size() - filled, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      Wipe(out);
      return Unavailable("the system gives no random bytes (getrandom)");
    }
    filled += static_cast<size_t>(size);
  }
  return {};
}

}  // namespace soter
