#pragma once

namespace soter::internal {

// Free<F> makes an OpenSSL release function a std::unique_ptr deleter.
template <auto F>
struct Free {
  template <typename T>
  void operator()(T* pointer) const {
    F(pointer);
  }
};

}  // namespace soter::internal
