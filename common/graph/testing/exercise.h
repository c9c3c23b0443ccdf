#pragma once

#include <cstddef>
#include <span>

namespace soter {

// ExerciseDecoder treats `bytes` as a graph that somebody hostile wrote, whole where they begin with its magic number,
// else its structure alone: it decodes, binds with
// every symbol at 1, 2 and 3, and prints. Whatever the bytes are, it must return, and soon. What was accepted must
// come out of the encoder as it went in; CHECK says so.
void ExerciseDecoder(std::span<const std::byte> bytes);

}  // namespace soter
