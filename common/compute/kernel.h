#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "common/base/result.h"

namespace soter::compute {

// Arguments are the buffers of one step: dense or laid out as the step was compiled for.
struct Arguments {
  std::span<std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* scratch = nullptr;

  template <typename T>
  const T* In(size_t i) const {
    return reinterpret_cast<const T*>(inputs[i]);
  }
  template <typename T>
  T* Out(size_t i) const {
    return reinterpret_cast<T*>(outputs[i]);
  }
};

// Kernel computes one step of a Program. Shapes and layouts are fixed when it is made.
class Kernel {
 public:
  virtual ~Kernel() = default;
  // Run computes the step. Allocates nothing. Errors: kInvalidArgument (what the data alone decides).
  virtual Status Run(const Arguments& arguments) = 0;
};

// MakeKernel wraps a function of (const Arguments&) that returns void or Status.
template <typename F>
std::unique_ptr<Kernel> MakeKernel(F function) {
  class FunctionKernel final : public Kernel {
   public:
    explicit FunctionKernel(F f) : function_(std::move(f)) {}
    Status Run(const Arguments& arguments) override {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, const Arguments&>>) {
        function_(arguments);
        return {};
      } else {
        return function_(arguments);
      }
    }

   private:
    F function_;
  };
  return std::make_unique<FunctionKernel>(std::move(function));
}

}  // namespace soter::compute
