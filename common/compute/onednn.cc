#include "common/compute/onednn.h"

#include <cstring>

#include "common/compute/layout.h"

namespace soter::compute {

namespace {

dnnl::memory::format_tag TagOf(size_t rank, Layout layout) {
  using tag = dnnl::memory::format_tag;
  if (layout == Layout::kNhwc) return rank == 3 ? tag::nwc : rank == 4 ? tag::nhwc : tag::ndhwc;
  return rank == 3 ? tag::nCw16c : rank == 4 ? tag::nChw16c : tag::nCdhw16c;
}

dnnl::memory::data_type DataTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kInt32: return dnnl::memory::data_type::s32;
    case DType::kInt8: return dnnl::memory::data_type::s8;
    case DType::kUint8: return dnnl::memory::data_type::u8;
    default: CHECK(dtype == DType::kFloat32, "oneDNN does not know this type"); return dnnl::memory::data_type::f32;
  }
}

}  // namespace

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& Stream() {
  static dnnl::stream stream(Engine());
  return stream;
}

dnnl::memory::desc DescOf(const TensorType& type, Layout layout) {
  if (layout != Layout::kDense) return {type.shape, DataTypeOf(type.dtype), TagOf(type.shape.size(), layout)};
  if (type.shape.empty()) return {{1}, DataTypeOf(type.dtype), dnnl::memory::dims{1}};
  return {type.shape, DataTypeOf(type.dtype), DenseStrides(type.shape)};
}

dnnl::memory::desc AnyDesc(const Shape& shape) {
  return {shape, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

std::optional<Layout> LayoutOfDesc(const dnnl::memory::desc& desc, const TensorType& type) {
  for (Layout layout : {Layout::kNChw16c, Layout::kNhwc, Layout::kDense}) {
    if (CanLieAs(type, layout) && desc == DescOf(type, layout)) return layout;
  }
  return std::nullopt;
}

OnednnKernel::OnednnKernel(dnnl::primitive primitive, std::vector<Slot> slots, std::optional<uint32_t> copy_input)
    : primitive_(std::move(primitive)), slots_(std::move(slots)), copy_input_(copy_input) {
  for (const Slot& slot : slots_) {
    bound_.push_back({dnnl::memory(slot.desc, Engine(), nullptr), nullptr});
    arguments_.push_back({slot.argument, bound_.back().memory.get()});
    if (slot.from == Slot::From::kOutput && slot.index == 0) copy_bytes_ = slot.desc.get_size();
  }
}

Status OnednnKernel::Run(const Arguments& arguments) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    std::byte* pointer = slot.from == Slot::From::kInput    ? arguments.inputs[slot.index]
                         : slot.from == Slot::From::kOutput ? arguments.outputs[slot.index]
                                                            : arguments.scratch;
    if (pointer == bound_[i].pointer) continue;
    dnnl_status_t status = dnnl_memory_set_data_handle(bound_[i].memory.get(), pointer);
    if (status != dnnl_success) return Exhausted("oneDNN refused a buffer");
    bound_[i].pointer = pointer;
  }
  if (copy_input_ && arguments.inputs[*copy_input_] != arguments.outputs[0])
    ParallelCopy(arguments.outputs[0], arguments.inputs[*copy_input_], copy_bytes_);
  dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), Stream().get(), static_cast<int>(arguments_.size()),
                                                arguments_.data());
  if (status != dnnl_success) return Exhausted("oneDNN failed with code " + std::to_string(status));
  return {};
}

dnnl::primitive_attr UserScratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

size_t AddScratch(const dnnl::primitive_desc_base& desc, std::vector<Slot>& slots) {
  dnnl::memory::desc scratch = desc.scratchpad_desc();
  if (scratch.get_size() > 0) slots.push_back({DNNL_ARG_SCRATCHPAD, Slot::From::kScratch, 0, scratch});
  return scratch.get_size();
}

Result<BufferId> Pack(Builder& builder, const Tensor& weight, const dnnl::memory::desc& source,
                      const dnnl::memory::desc& target) {
  Buffer packed = TRY(TryBuffer(target.get_size()));
  dnnl::memory from(source, Engine(), const_cast<std::byte*>(weight.bytes().data()));
  dnnl::memory to(target, Engine(), packed.bytes().data());
  dnnl::reorder(from, to).execute(Stream(), from, to);
  Stream().wait();
  return builder.Keep(std::move(packed));
}

std::unique_ptr<Kernel> MakeReorder(const TensorType& type, Layout from, Layout to) {
  dnnl::memory::desc source = DescOf(type, from), target = DescOf(type, to);
  dnnl::reorder::primitive_desc desc(Engine(), source, Engine(), target);
  return std::make_unique<OnednnKernel>(dnnl::reorder(desc), std::vector<Slot>{
      {DNNL_ARG_FROM, Slot::From::kInput, 0, source}, {DNNL_ARG_TO, Slot::From::kOutput, 0, target}});
}

std::unique_ptr<Kernel> MakeCopy(size_t size_bytes) {
  return MakeKernel([size_bytes](const Arguments& a) { ParallelCopy(a.outputs[0], a.inputs[0], size_bytes); });
}

void ParallelCopy(std::byte* target, const std::byte* source, size_t size_bytes) {
  constexpr size_t kChunkBytes = size_t{1} << 18;
  int64_t chunks = static_cast<int64_t>((size_bytes + kChunkBytes - 1) / kChunkBytes);
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (int64_t c = 0; c < chunks; ++c) {
    size_t begin = static_cast<size_t>(c) * kChunkBytes;
    std::memcpy(target + begin, source + begin, std::min(kChunkBytes, size_bytes - begin));
  }
}

}  // namespace soter::compute
