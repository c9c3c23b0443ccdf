#pragma once

#include <cstddef>
#include <span>

namespace soter {

// ConstantTimeEqual compares two buffers in a time that depends on their sizes only.
bool ConstantTimeEqual(std::span<const std::byte> a, std::span<const std::byte> b);

}  // namespace soter
