#pragma once

#include "common/tensor/tensor.h"

namespace soter {

// FreivaldsScratch is memory that the checks of one session share, one after the other.
class FreivaldsScratch {
 public:
  // Reserve makes room for `size` bytes. Errors: kExhausted.
  Status Reserve(size_t size) {
    if (buffer_.size() < size) buffer_ = TRY(TryBuffer(size));
    return {};
  }
  std::byte* data() { return buffer_.bytes().data(); }

 private:
  Buffer buffer_;
};

}  // namespace soter
