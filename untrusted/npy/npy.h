#pragma once

#include <span>
#include <string>

#include "common/tensor/tensor.h"

namespace soter {

// DecodeNpy reads the bytes of a NumPy .npy file (format 1.0 to 3.0, little-endian, C order).
// Errors: kMalformed (not .npy, truncated, trailing bytes), kInvalidArgument (an element type, byte order or memory
// order that is not accepted: says how to convert), kExhausted.
Result<Tensor> DecodeNpy(std::span<const std::byte> bytes);

// NpyHeader returns what stands before the data of a tensor of `type` in format 1.0, padded to 64 bytes.
std::string NpyHeader(const TensorType& type);

}  // namespace soter
