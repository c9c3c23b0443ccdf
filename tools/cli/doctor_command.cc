#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "common/base/protected_pages.h"
#include "tools/cli/child_process.h"
#include "tools/cli/commands.h"
#include "tools/cli/text.h"
#include "tools/cli/worker_choice.h"

namespace soter {

namespace {

using Json = nlohmann::ordered_json;

// Finding is one thing that this machine offers or lacks.
struct Finding {
  std::string what;
  bool present = false;
  std::string detail;  // where it is missing: what that means
};

constexpr uint64_t kMinLockedBytes = uint64_t{1} << 30;  // a sealed VGG19 takes a little more
constexpr uint64_t kMinSharedBytes = uint64_t{256} << 20;  // VGG19's activations and their copies fit

bool Exists(const char* path) { return ::access(path, F_OK) == 0; }

Finding FindDevice(const char* name, std::initializer_list<const char*> paths, const char* missing) {
  for (const char* path : paths) {
    if (!Exists(path)) continue;
    bool usable = ::access(path, R_OK | W_OK) == 0;
    return {name, usable, std::string(path) + (usable ? "" : " is there, but this user may not open it")};
  }
  return {name, false, missing};
}

Finding FindGpu() {
  if (!HasGpu()) return {"NVIDIA GPU", false, "none; the CPU is the accelerator"};
  if (!BuiltWithCuda())
    return {"NVIDIA GPU", true, "there, but this build cannot use it; scripts/build cuda makes one"};
  return {"NVIDIA GPU", true, "used with --worker auto"};
}

Finding FindSharedMemory() {
  struct statvfs info;
  if (::statvfs("/dev/shm", &info) != 0) {
    return {"shared memory", false, "no /dev/shm; tensors cross in messages, which is slower"};
  }
  uint64_t free_bytes = uint64_t{info.f_bavail} * info.f_frsize;
  std::string detail = FormatBytes(free_bytes) + " free in /dev/shm";
  if (free_bytes < kMinSharedBytes) detail += "; " + FormatBytes(kMinSharedBytes) + " is enough for large networks";
  return {"shared memory", free_bytes >= kMinSharedBytes, detail};
}

Finding FindLockedMemory() {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return {"locked memory", true, "unlimited"};
  // Root and whoever has CAP_IPC_LOCK are not bound by the limit: what may be locked is tried.
  if (RequireLockable(size_t{1} << 46, "").ok()) return {"locked memory", true, "unlimited for this user"};
  bool enough = limit.rlim_cur >= kMinLockedBytes;
  std::string detail = FormatBytes(limit.rlim_cur) + " may be locked; a sealed model takes about twice its size";
  detail += "; RLIMIT_MEMLOCK is raised with ulimit -l, LimitMEMLOCK= (systemd) or --ulimit memlock= (containers)";
  return {"locked memory", enough, detail};
}

std::string CpuField(const std::string& field) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "";
}

Finding FindVectorUnits() {
  std::istringstream flags(CpuField("flags"));
  std::string found;
  bool fast = false;
  for (std::string flag; flags >> flag;) {
    bool wanted = flag == "avx2" || flag == "fma" || flag == "avx512f" || flag == "avx512_vnni" || flag == "amx_tile";
    if (!wanted) continue;
    found += (found.empty() ? "" : " ") + flag;
    fast = fast || flag == "avx2";
  }
  return {"vector units", fast, fast ? found : "no AVX2; inference will be slow"};
}

Finding FindEnclaveProgram() {
  std::filesystem::path program = ProgramBeside("soter-enclave");
  bool present = ::access(program.c_str(), X_OK) == 0;
  return {"soter-enclave", present,
          present ? program.string() : program.string() + " is missing; scripts/build makes it"};
}

std::vector<Finding> FindAll() {
  unsigned cores = std::thread::hardware_concurrency();
  uint64_t memory = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return {
      FindDevice("Intel SGX", {"/dev/sgx_enclave", "/dev/sgx/enclave"}, "no /dev/sgx_enclave"),
      FindDevice("Intel TDX guest", {"/dev/tdx_guest", "/dev/tdx-guest"}, "no /dev/tdx_guest"),
      FindDevice("AMD SEV-SNP guest", {"/dev/sev-guest"}, "no /dev/sev-guest"),
      FindGpu(),
      {"processor", cores > 0, CpuField("model name") + ", " + std::to_string(cores) + " threads"},
      FindVectorUnits(),
      {"memory", true, FormatBytes(memory)},
      FindSharedMemory(),
      FindLockedMemory(),
      FindEnclaveProgram(),
  };
}

Status Doctor(bool as_json) {
  std::vector<Finding> findings = FindAll();
  bool has_tee = findings[0].present || findings[1].present || findings[2].present;
  std::string verdict = has_tee ? "this machine has a TEE device"
                                : "no TEE: only the development TEE works here, which protects nothing against this "
                                  "machine's owner";
  if (as_json) {
    Json json = {{"tee", has_tee}, {"findings", Json::array()}};
    for (const Finding& finding : findings) {
      json["findings"].push_back({{"what", finding.what}, {"present", finding.present}, {"detail", finding.detail}});
    }
    std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return {};
  }
  Table table({{"what"}, {"here"}, {"detail"}});
  for (const Finding& finding : findings) {
    table.AddRow({finding.what, finding.present ? "yes" : "no", TerminalSafe(finding.detail, Lines::kJoin)});
  }
  std::printf("%s\n%s\n", table.Text().c_str(), verdict.c_str());
  return {};
}

}  // namespace

void AddDoctorCommand(CLI::App& app, Command& chosen) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("doctor", "Say what this machine offers and lacks.");
  command->add_flag("--json", *as_json, "print one JSON object");
  command->callback([as_json, &chosen] { chosen.run = [as_json] { return Doctor(*as_json); }; });
}

}  // namespace soter
