#pragma once

#include <utility>

#include "common/tensor/tensor.h"

namespace soter {

// UntrustedTensor refers to memory that the accelerator can still change. The only use of it is TakeIn
// (trusted/mask/transfer.h), which reads each byte once into private memory.
struct UntrustedTensor {
  TensorType type;
  Layout layout = Layout::kDense;
  std::span<const std::byte> bytes;
};

// PrivateTensor is a float32 tensor in enclave memory, in one of the three layouts.
struct PrivateTensor {
  TensorType type;
  Layout layout = Layout::kDense;
  std::span<std::byte> bytes;
};

// Claim is a private copy of what the accelerator asserts, already in the enclave's own scale, not yet believed.
// It gives its data to the checks only.
class Claim {
 public:
  explicit Claim(PrivateTensor tensor) : tensor_(std::move(tensor)) {}

 private:
  friend class CheckAccess;
  PrivateTensor tensor_;
};

// Verified is a T that a check accepted. Only trusted/check can make one, so code that ignores a check does not
// compile: whatever goes on to a non-linear operator or leaves the enclave is taken from a Verified.
template <typename T>
class Verified {
 public:
  const T& get() const& { return value_; }
  T&& get() && { return std::move(value_); }

 private:
  friend class CheckAccess;
  explicit Verified(T value) : value_(std::move(value)) {}
  T value_;
};

}  // namespace soter
