// soter-hostile-worker: a worker that lies on demand, for tests of what the enclave catches.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "tests/emulation/emulated_gpu.h"
#include "tests/hostile/bugs.h"
#include "untrusted/worker/worker_main.h"

int main(int argc, char** argv) {
  CLI::App app("A worker that lies on demand, for tests of what the enclave catches.");
  soter::WorkerOptions worker;
  soter::hostile::Options options;
  std::string name;
  bool list = false;
  std::map<std::string, soter::wire::Arithmetic> arithmetics = {{"tf32", soter::wire::Arithmetic::kTf32},
                                                                {"fp16", soter::wire::Arithmetic::kFloat16}};
  std::optional<soter::wire::Arithmetic> always;
  app.add_flag("--list", list, "print the bugs and end");
  app.add_option("--listen", worker.listen, "unix:PATH, HOST:PORT or [v6]:PORT");
  app.add_option("--bug", name, "which lie to tell, or none; see --list");
  app.add_option("--after", options.after, "runs of a connection that are answered honestly first");
  app.add_option("--rate", options.rate, "share of the later runs that are lies")->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", options.seed, "of its random choices");
  app.add_option("--backend", worker.backend, "what the lies are told on top of: cpu, cuda, or emulated-gpu, a simulation")
      ->check(CLI::IsMember({"cpu", "cuda", "emulated-gpu"}))
      ->capture_default_str();
  app.add_option("--always", always, "have emulated-gpu compute in tf32 or fp16, whatever is asked for")
      ->transform(CLI::CheckedTransformer(arithmetics));
  app.add_option("--device", worker.device, "which GPU, for cuda");
  app.add_option("--memory-limit", worker.memory_limit_bytes, "of weights and buffers, in bytes or as 2MB")
      ->transform(CLI::AsSizeValue(true));
  app.add_option("--threads", worker.threads, "at most; 0: one for each processor");
  app.add_flag("--once", worker.once, "end with the first client");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (list) {
    for (const soter::hostile::Bug& bug : soter::hostile::AllBugs()) {
      std::printf("%-22.*s %.*s\n", static_cast<int>(bug.name.size()), bug.name.data(),
                  static_cast<int>(bug.what.size()), bug.what.data());
    }
    return 0;
  }
  constexpr soter::hostile::Bug kNone;  // for measurements of what lies are told on top of
  auto bug = name == "none" ? soter::Result<const soter::hostile::Bug*>(&kNone) : soter::hostile::FindBug(name);
  if (!bug.ok() || worker.listen.empty()) {
    std::fprintf(stderr, "soter-hostile-worker: %s\n",
                 bug.ok() ? "--listen ADDR is needed" : bug.error().message.c_str());
    return 2;
  }
  if (worker.backend == "emulated-gpu") worker.factory = soter::emulation::EmulatedGpuFactory(always);
  soter::hostile::Liar liar(**bug, options);
  return soter::WorkerMain(worker, &liar);
}
