#include "untrusted/backend/module.h"

#include <dlfcn.h>

#include <filesystem>

namespace soter {

namespace {

constexpr const char* kLibrary = "libsoter_cuda.so";

// FindLibrary looks where a build and where an installation puts it. Nowhere else: a search path is for others to set.
Result<std::string> FindLibrary() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return Unavailable("cannot tell where this program lies");
  // Programs of a build lie in its root or in its tests/, those of an installation in bin/ beside lib/.
  for (const char* from : {".", "..", "../lib"}) {
    std::filesystem::path path = (program.parent_path() / from / kLibrary).lexically_normal();
    if (std::filesystem::exists(path, error)) return path.string();
  }
  return Unavailable("this build has no GPU backend (" + std::string(kLibrary) + "); build it with the preset cuda");
}

}  // namespace

bool HasCudaModule() { return FindLibrary().ok(); }

Result<BackendModule> OpenCudaModule(uint32_t device) {
  std::string path = TRY(FindLibrary());
  // Never closed: the backend's code may run until the process ends.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Unavailable(std::string("the GPU backend cannot be loaded: ") + ::dlerror());
  auto open = reinterpret_cast<decltype(&SoterOpenModule)>(::dlsym(library, "SoterOpenModule"));
  if (open == nullptr) return Unavailable(path + " is no GPU backend");
  BackendModule module;
  open(device, &module);
  if (module.build != SOTER_BUILD) return Unavailable(path + " belongs to another build of this program");
  if (!module.factory.ok()) return module.factory.error();
  return module;
}

}  // namespace soter
