#include "common/wire/exchange.h"

#include <algorithm>

namespace soter::wire {

namespace {
constexpr uint64_t kStepBytes = 1 << 20;
}

Result<std::vector<std::byte>> ReceivePayload(Connection& connection, Deadline deadline) {
  std::vector<std::byte> payload;
  while (connection.unread() > 0) {
    size_t offset = payload.size();
    payload.resize(offset + std::min(connection.unread(), std::max<uint64_t>(kStepBytes, offset)));
    TRY(connection.Read(std::span(payload).subspan(offset), deadline));
  }
  return payload;
}

Status DiscardPayload(Connection& connection, Deadline deadline) {
  std::array<std::byte, 4096> skipped;
  while (connection.unread() > 0) {
    TRY(connection.Read(std::span(skipped).first(std::min<uint64_t>(connection.unread(), skipped.size())), deadline));
  }
  return {};
}

}  // namespace soter::wire
