// replay [--optional] [--mutations N] DIRECTORY...: runs a fuzz target on every file below the directories, so that what
// was once found stays fixed with any compiler, and on N damaged copies of each, the same in every run. Fails when a
// directory holds no file (with --optional: exits with 77, which skips the test), and with the target when that aborts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kSkipped = 77;
constexpr size_t kMostBytesToDamage = 1 << 20;

using Bytes = std::vector<uint8_t>;

void Run(const Bytes& bytes) { LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

// Damage changes a few bytes, most of them in place, or cuts or repeats a piece.
void Damage(std::mt19937_64& random, Bytes* bytes) {
  for (uint64_t left = 1 + random() % 4; left > 0 && !bytes->empty(); --left) {
    const size_t at = random() % bytes->size();
    switch (random() % 6) {
      case 0: bytes->resize(at); break;
      case 1: bytes->insert(bytes->begin() + static_cast<std::ptrdiff_t>(at), static_cast<uint8_t>(random())); break;
      case 2: (*bytes)[at] = static_cast<uint8_t>(random()); break;
      case 3: (*bytes)[at] ^= static_cast<uint8_t>(1u << random() % 8); break;
      case 4: (*bytes)[at] = random() % 2 ? 0xff : 0; break;
      default: std::copy_backward(bytes->begin() + static_cast<std::ptrdiff_t>(at), bytes->end() - 1, bytes->end());
    }
  }
}

// RunDirectory returns how many files it found.
size_t RunDirectory(const char* path, uint64_t mutations) {
  size_t count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
    std::printf("%s: %zu bytes\n", entry.path().c_str(), bytes.size());
    std::fflush(stdout);  // the last line names the file that crashed
    Run(bytes);
    std::mt19937_64 random(++count);
    for (uint64_t i = 0; i < mutations && bytes.size() <= kMostBytesToDamage; ++i) {
      Bytes damaged = bytes;
      Damage(random, &damaged);
      Run(damaged);
    }
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  bool optional = false, any = false;
  uint64_t mutations = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--optional") == 0) {
      optional = true;
    } else if (std::strcmp(argv[i], "--mutations") == 0 && i + 1 < argc) {
      mutations = std::strtoull(argv[++i], nullptr, 10);
    } else if (RunDirectory(argv[i], mutations) > 0) {
      any = true;
    } else {
      std::fprintf(stderr, "%s%s holds no file\n", optional ? "SKIPPED: " : "", argv[i]);
      return optional ? kSkipped : 1;
    }
  }
  return any ? 0 : 1;
}
