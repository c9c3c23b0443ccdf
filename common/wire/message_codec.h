#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/wire/message.h"

// Messages of common/wire/message.h as bytes (docs/spec/wire.md, 2 and 3).
namespace soter::wire {

inline constexpr size_t kMaxHeadBytes = 4096;             // of LoadWeight, Run, Output: what precedes the data
inline constexpr uint64_t kMaxMessageBytes = uint64_t{256} << 20;  // of a message without data
inline constexpr uint64_t kMaxReplyBytes = 128 << 10;     // of a reply without data
inline constexpr uint32_t kMaxThreads = 1024;
inline constexpr size_t kMaxPorts = 65535;                // inputs, or outputs, of one segment
inline constexpr uint64_t kMaxRegionBytes = uint64_t{1} << 40;

// Encode lays out one message.
template <typename Message>
std::vector<std::byte> Encode(const Message& message);

// Decode reads one message back; it holds no field that the specification forbids. Errors: kMalformed.
template <typename Message>
Result<Message> Decode(std::span<const std::byte> bytes);

// MessageTypeFromNumber returns the type with that number. Errors: kMalformed.
Result<MessageType> MessageTypeFromNumber(uint16_t number);

}  // namespace soter::wire
