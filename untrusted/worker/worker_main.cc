#include "untrusted/worker/worker_main.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "untrusted/backend/cpu/cpu_backend.h"
#include "untrusted/backend/modelled/modelled_backend.h"
#include "untrusted/backend/module.h"
#include "untrusted/worker/exit_guard.h"
#include "untrusted/worker/server.h"

namespace soter {

namespace {

// StopSignals turns the signals that end this process into a descriptor, for all threads made later.
Result<UniqueFd> StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) return Unavailable("cannot block signals");
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return Unavailable("cannot wait for signals");
  return fd;
}

BackendFactory CpuFactory() {
  return [](uint32_t threads) -> Result<std::unique_ptr<Backend>> {
    return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(threads));
  };
}

// FindBackend opens what the options ask for. What it then computes on is said on stderr.
Result<BackendFactory> FindBackend(const WorkerOptions& options) {
  if (options.factory) return options.factory;
  if (options.backend == "cpu") return CpuFactory();
  if (options.backend != "cuda" && options.backend != "auto") {
    return InvalidArgument("there is no backend \"" + options.backend + "\"; use cpu, cuda or auto");
  }
  Result<BackendModule> module = OpenCudaModule(options.device);
  if (module.ok()) {
    std::fprintf(stderr, "computing on GPU %u: %s\n", options.device, module->device.c_str());
    return module->factory;
  }
  if (options.backend == "cuda") return module.error();
  std::fprintf(stderr, "computing on the CPU: %s\n", module.error().message.c_str());
  return CpuFactory();
}

// WithSpeed makes the backends of `factory` answer as an accelerator of the speed `text` would.
Result<BackendFactory> WithSpeed(BackendFactory factory, const std::string& text) {
  if (text.empty()) return factory;
  Result<AcceleratorSpeed> speed = ParseSpeed(text);
  if (!speed.ok()) return Annotate(speed.error(), "--accelerator-model");
  std::fprintf(stderr, "answering as late as a modelled accelerator: %s\n", text.c_str());
  return BackendFactory([factory = std::move(factory), speed = *speed, text](uint32_t threads) -> Result<std::unique_ptr<Backend>> {
    return std::unique_ptr<Backend>(std::make_unique<ModelledBackend>(TRY(factory(threads)), speed, text));
  });
}

// MemoryLimit is what the machine has: a client that fills it is refused, not this process killed.
uint64_t MemoryLimit() {
  long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGE_SIZE);
  return static_cast<uint64_t>(std::max(pages, 1L)) * static_cast<uint64_t>(std::max(page_bytes, 4096L));
}

Status RunWorker(const WorkerOptions& options, Tampering* tampering) {
  BackendFactory factory = TRY(WithSpeed(TRY(FindBackend(options)), options.speed));
  wire::Address address = TRY(wire::ParseAddress(options.listen));
  UniqueFd stop = TRY(StopSignals());
  constexpr std::chrono::seconds kGrace{5};
  ExitGuard guard(stop.get(), kGrace);
  std::unique_ptr<Recorder> recorder;
  if (!options.record.empty()) recorder = TRY(Recorder::Open(options.record));
  auto reach = options.allow_remote ? wire::Reach::kAnywhere : wire::Reach::kThisMachine;
  wire::Listener listener = TRY(wire::Listener::Listen(address, reach));
  std::printf("listening on %s\n", wire::AddressString(listener.address()).c_str());
  std::fflush(stdout);

  uint32_t processors = std::max(1u, std::thread::hardware_concurrency());
  ServerOptions server{.once = options.once, .one_at_a_time = recorder != nullptr};
  server.session.max_threads = options.threads > 0 ? options.threads : processors;
  server.session.memory_limit_bytes = options.memory_limit_bytes > 0 ? options.memory_limit_bytes : MemoryLimit();
  server.session.recorder = recorder.get();
  server.session.tampering = tampering;
  if (!options.shared_memory) server.session.shared_directory.clear();
  return Server(listener, std::move(factory), std::move(server)).Serve(stop.get());
}

}  // namespace

int WorkerMain(const WorkerOptions& options, Tampering* tampering) {
  Status ran = RunWorker(options, tampering);
  if (ran.ok()) return 0;
  std::fprintf(stderr, "soter worker: %s\n", ran.error().message.c_str());
  return ran.error().code == ErrorCode::kInvalidArgument ? 2 : 1;
}

}  // namespace soter
