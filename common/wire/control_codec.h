#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/wire/control.h"

// Messages of common/wire/control.h as bytes (docs/spec/control.md).
namespace soter::control {

inline constexpr uint64_t kMaxMessageBytes = uint64_t{8} << 30;  // tensors are inside
inline constexpr uint64_t kMaxModelPieceBytes = uint64_t{16} << 20;  // of one kModel payload
inline constexpr size_t kMinNonceBytes = 16, kMaxNonceBytes = 64;
inline constexpr uint32_t kMaxThreads = 1024;
inline constexpr uint32_t kMaxCornerstones = 4096;

// Encode lays out one message.
template <typename Message>
std::vector<std::byte> Encode(const Message& message);

// Decode reads one message back; it holds no field that the specification forbids. Errors: kMalformed, kExhausted.
template <typename Message>
Result<Message> Decode(std::span<const std::byte> bytes);

// MessageTypeFromNumber returns the type with that number. Errors: kMalformed.
Result<MessageType> MessageTypeFromNumber(uint16_t number);

}  // namespace soter::control
