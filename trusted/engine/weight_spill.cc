#include "trusted/engine/weight_spill.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "trusted/crypto/random.h"

namespace soter {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

AeadNonce NonceOf(uint64_t piece) {
  AeadNonce nonce{};
  for (size_t i = 0; i < sizeof(piece); ++i) nonce[i] = static_cast<std::byte>(piece >> (8 * i));
  return nonce;
}

Result<UniqueFd> NamelessFile() {
  const char* directory = std::getenv("TMPDIR");
  std::string path = std::string(directory != nullptr && *directory != 0 ? directory : "/tmp") + "/soter-XXXXXX";
  UniqueFd file(mkostemp(path.data(), O_CLOEXEC));
  if (!file.valid())
    return Unavailable("no room outside for the model's parameters: " + path + ": " + std::strerror(errno));
  unlink(path.c_str());
  return file;
}

Status WriteAt(int fd, std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return Exhausted(std::string("the model's parameters do not fit into the temporary directory: ") +
                       std::strerror(errno));
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

Status ReadAt(int fd, std::span<std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    ssize_t read = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return IntegrityError("the parameters that were kept outside the enclave are gone");
    bytes = bytes.subspan(static_cast<size_t>(read));
    offset += static_cast<uint64_t>(read);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<WeightSpill>> WeightSpill::Create() {
  AeadKey key = TRY(RandomSecret<32>());
  std::unique_ptr<WeightSpill> spill(new WeightSpill(TRY(NamelessFile()), key));
  spill->sealed_ = TRY(TryBuffer(kPieceBytes + kAeadTagBytes));
  return spill;
}

Status WeightSpill::Put(ValueId value, TensorView tensor) {
  Entry entry{tensor.type, end_, pieces_};
  for (size_t begin = 0; begin < tensor.bytes.size(); begin += kPieceBytes) {
    size_t size_bytes = std::min(kPieceBytes, tensor.bytes.size() - begin);
    std::span<const std::byte> piece = tensor.bytes.subspan(begin, size_bytes);
    std::span<std::byte> sealed = sealed_.bytes().first(piece.size() + kAeadTagBytes);
    cipher_.Seal(NonceOf(pieces_++), {}, piece, sealed);
    TRY(WriteAt(file_.get(), sealed, end_));
    end_ += sealed.size();
  }
  entries_[value] = std::move(entry);
  return {};
}

Result<std::shared_ptr<const Tensor>> WeightSpill::Get(ValueId value) {
  const Entry& entry = entries_.at(value);
  auto tensor = std::make_shared<Tensor>(TRY(Tensor::Allocate(entry.type)));
  std::span<std::byte> rest = tensor->mutable_bytes();
  uint64_t offset = entry.offset;
  for (uint64_t piece = entry.first_piece; !rest.empty(); ++piece) {
    std::span<std::byte> target = rest.first(std::min(kPieceBytes, rest.size()));
    std::span<std::byte> sealed = sealed_.bytes().first(target.size() + kAeadTagBytes);
    TRY(ReadAt(file_.get(), sealed, offset));
    TRY(cipher_.Open(NonceOf(piece), {}, sealed, target));
    offset += sealed.size();
    rest = rest.subspan(target.size());
  }
  return std::shared_ptr<const Tensor>(std::move(tensor));
}

}  // namespace soter
