#include "common/compute/strided.h"

#include <cstring>

#include "common/compute/layout.h"

namespace soter::compute {

namespace {

constexpr int64_t kParallelElements = 1 << 14;

bool Joins(const Strided& walk, const Strided& done, size_t d) {
  for (size_t k = 0; k < walk.strides.size(); ++k) {
    if (done.strides[k].back() != walk.strides[k][d] * walk.extents[d]) return false;
  }
  return true;
}

template <typename T>
void CopyRows(const Strided& walk, const std::byte* source_bytes, std::byte* target_bytes) {
  const T* source = reinterpret_cast<const T*>(source_bytes);
  T* target = reinterpret_cast<T*>(target_bytes);
  int64_t columns = walk.extents.back();
  int64_t rows = Product(walk.extents) / columns;
  int64_t to = walk.strides[0].back(), from = walk.strides[1].back();
#pragma omp parallel for schedule(static) if (rows > 1 && rows * columns > kParallelElements)
  for (int64_t row = 0; row < rows; ++row) {
    auto [t, s] = RowOffsets<2>(walk, 1, row);
    if (to == 1 && from == 1) {
      std::memcpy(target + t, source + s, static_cast<size_t>(columns) * sizeof(T));
    } else {
      for (int64_t j = 0; j < columns; ++j) target[t + j * to] = source[s + j * from];
    }
  }
}

}  // namespace

Strided Collapse(const Strided& walk) {
  Strided done{.strides = std::vector<Shape>(walk.strides.size()), .offsets = walk.offsets};
  for (size_t d = 0; d < walk.extents.size(); ++d) {
    if (walk.extents[d] == 1) continue;
    if (!done.extents.empty() && Joins(walk, done, d)) {
      done.extents.back() *= walk.extents[d];
      for (size_t k = 0; k < walk.strides.size(); ++k) done.strides[k].back() = walk.strides[k][d];
      continue;
    }
    done.extents.push_back(walk.extents[d]);
    for (size_t k = 0; k < walk.strides.size(); ++k) done.strides[k].push_back(walk.strides[k][d]);
  }
  if (done.extents.empty()) {
    done.extents.push_back(1);
    for (Shape& strides : done.strides) strides.push_back(1);
  }
  return done;
}

Shape BroadcastStrides(const Shape& shape, const Shape& extents) {
  Shape dense = DenseStrides(shape), strides(extents.size(), 0);
  size_t lead = extents.size() - shape.size();
  for (size_t d = 0; d < shape.size(); ++d) strides[lead + d] = shape[d] == 1 ? 0 : dense[d];
  return strides;
}

void CopyWalk(const Strided& walk, size_t element_bytes, const std::byte* source, std::byte* target) {
  if (Product(walk.extents) == 0) return;
  switch (element_bytes) {
    case 1: return CopyRows<uint8_t>(walk, source, target);
    case 2: return CopyRows<uint16_t>(walk, source, target);
    case 4: return CopyRows<uint32_t>(walk, source, target);
    default: return CopyRows<uint64_t>(walk, source, target);
  }
}

std::unique_ptr<Kernel> MakeCopyKernel(const Strided& walk, size_t element_bytes) {
  return MakeKernel([walk = Collapse(walk), element_bytes](const Arguments& a) {
    CopyWalk(walk, element_bytes, a.inputs[0], a.outputs[0]);
  });
}

}  // namespace soter::compute
