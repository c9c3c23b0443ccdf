#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <memory>
#include <optional>
#include <vector>

#include "common/compute/builder.h"

// The only header here that names oneDNN. Its exceptions end in Program::Compile (program.cc); at run time only its
// C interface is used, which returns codes.
namespace soter::compute {

dnnl::engine& Engine();  // the CPU
dnnl::stream& Stream();

// DescOf describes `type` in `layout`. float32 in any layout; int32, int8 and uint8 dense.
dnnl::memory::desc DescOf(const TensorType& type, Layout layout);
dnnl::memory::desc AnyDesc(const Shape& shape);

// LayoutOfDesc is the layout that `desc` describes, if it is one of ours.
std::optional<Layout> LayoutOfDesc(const dnnl::memory::desc& desc, const TensorType& type);

// Slot binds one argument of a primitive to a buffer of the step.
struct Slot {
  enum class From : uint8_t { kInput, kOutput, kScratch };
  int argument;
  From from;
  uint32_t index;
  dnnl::memory::desc desc;
};

// OnednnKernel runs one primitive. When `copy_input` is set, that input is first copied into output 0 (unless they
// are the same memory), where a sum post-op finds it.
class OnednnKernel final : public Kernel {
 public:
  OnednnKernel(dnnl::primitive primitive, std::vector<Slot> slots, std::optional<uint32_t> copy_input = {});
  Status Run(const Arguments& arguments) override;

 private:
  struct Bound {
    dnnl::memory memory;
    const std::byte* pointer;
  };
  dnnl::primitive primitive_;
  std::vector<Slot> slots_;
  std::optional<uint32_t> copy_input_;
  size_t copy_bytes_ = 0;
  std::vector<Bound> bound_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

// UserScratch returns attributes that leave the scratch memory to us.
dnnl::primitive_attr UserScratch();

// AddScratch appends the slot of a primitive's scratch memory and returns its size.
size_t AddScratch(const dnnl::primitive_desc_base& desc, std::vector<Slot>& slots);

// Pack reorders a dense weight into `target` and keeps it. Errors: kExhausted.
Result<BufferId> Pack(Builder& builder, const Tensor& weight, const dnnl::memory::desc& source,
                      const dnnl::memory::desc& target);

// MakeReorder copies a tensor from one layout to another; MakeCopy copies bytes.
std::unique_ptr<Kernel> MakeReorder(const TensorType& type, Layout from, Layout to);
std::unique_ptr<Kernel> MakeCopy(size_t size_bytes);

// ParallelCopy copies with all threads when that pays.
void ParallelCopy(std::byte* target, const std::byte* source, size_t size_bytes);

}  // namespace soter::compute
