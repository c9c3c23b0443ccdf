#pragma once

#include <cstddef>
#include <span>

namespace soter {

// ExerciseDecoder treats `bytes` as the structure of a graph that somebody hostile wrote: it decodes, binds with
// every symbol at 1, 2 and 3, and prints. Whatever the bytes are, it must return, and soon. What was accepted must
// come out of the encoder as it went in; CHECK says so.
void ExerciseDecoder(std::span<const std::byte> bytes);

}  // namespace soter
