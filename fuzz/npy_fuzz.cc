// DecodeNpy on any bytes: no crash, and what it accepts it can write and read back.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/cli/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::Result<soter::Tensor> tensor = soter::DecodeNpy(std::as_bytes(std::span(data, size)));
  if (!tensor.ok()) return 0;
  std::string header = soter::NpyHeader(tensor->type());
  std::vector<std::byte> file(header.size() + tensor->bytes().size());
  std::span<const std::byte> head = std::as_bytes(std::span(header));
  auto data_place = std::copy(head.begin(), head.end(), file.begin());
  std::copy(tensor->bytes().begin(), tensor->bytes().end(), data_place);
  soter::Result<soter::Tensor> again = soter::DecodeNpy(file);
  CHECK(again.ok() && again->type() == tensor->type(), "a tensor changed on its way through .npy");
  CHECK(std::equal(again->bytes().begin(), again->bytes().end(), tensor->bytes().begin()), "data changed");
  return 0;
}
