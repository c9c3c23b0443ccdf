// Program::Run allocates nothing. oneDNN itself puts a primitive's arguments into small maps at each call; so
// programs without oneDNN must not allocate at all, and the others nothing that grows with the tensors.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "common/compute/program.h"
#include "common/graph/testing/graph_builder.h"

namespace {

std::atomic<bool> counting = false;
std::atomic<size_t> allocation_count = 0, largest_bytes = 0;

void* CountedAllocation(size_t size_bytes) {
  if (counting) {
    ++allocation_count;
    size_t seen = largest_bytes;
    while (size_bytes > seen && !largest_bytes.compare_exchange_weak(seen, size_bytes)) {}
  }
  void* memory = std::malloc(size_bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t size_bytes) { return CountedAllocation(size_bytes); }
void* operator new[](size_t size_bytes) { return CountedAllocation(size_bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace soter::conformance {
namespace {

Result<std::shared_ptr<const Tensor>> Zeros(const Initializer& initializer) {
  if (initializer.data) return initializer.data;
  Tensor tensor = TRY(Tensor::Allocate(initializer.type));
  for (float& v : tensor.MutableAs<float>()) v = 0.0f;
  return std::make_shared<const Tensor>(std::move(tensor));
}

void CountAllocations(GraphBuilder& builder, const Shape& shape) {
  StaticGraph graph = builder.Bind({shape}).value();
  Program program = Program::Compile(graph, Zeros, {.threads = 2}).value();
  Tensor x = Tensor::Allocate({DType::kFloat32, shape}).value();
  Tensor y = Tensor::Allocate(graph.type(graph.graph().outputs[0])).value();
  for (float& v : x.MutableAs<float>()) v = 0.5f;
  const std::byte* in[] = {x.bytes().data()};
  std::byte* out[] = {y.mutable_bytes().data()};
  ASSERT_TRUE(program.Run(in, out).ok());  // threads start here
  allocation_count = largest_bytes = 0;
  counting = true;
  Status status = program.Run(in, out);
  counting = false;
  ASSERT_TRUE(status.ok());
}

TEST(Allocation, OurKernelsAllocateNothing) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{1, 512});
  ValueId y = builder.Add(Linear{}, {x, builder.Weight({512, 512}), builder.Weight({512})});
  y = builder.Add(LayerNorm{}, {y});
  y = builder.Add(Binary{.kind = BinaryKind::kAdd}, {builder.Add(Unary{.kind = UnaryKind::kErf}, {y}), x});
  y = builder.Add(Concat{.axis = 1}, {y, builder.Add(Reduce{.kind = ReduceKind::kMax}, {y, builder.Integers({1})})});
  builder.Output(y);
  CountAllocations(builder, {1, 512});
  EXPECT_EQ(allocation_count, 0u);
}

TEST(Allocation, ConvolutionsAllocateNothingLarge) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{1, 16, 64, 64});
  Window window{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  ValueId y = builder.Add(Conv{.window = window}, {x, builder.Weight({64, 16, 3, 3}), builder.Weight({64})});
  y = builder.Add(Conv{.window = window}, {y, builder.Weight({64, 64, 3, 3})});
  builder.Output(builder.Add(Pool{.window = {{2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}}}, {y}));
  CountAllocations(builder, {1, 16, 64, 64});
  EXPECT_LE(largest_bytes, 1024u);
}

}  // namespace
}  // namespace soter::conformance
