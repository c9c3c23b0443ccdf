#include <memory>

#include "common/compute/tuning_cache.h"
#include "tools/cli/commands.h"
#include "untrusted/worker/worker_main.h"

namespace soter {

void AddWorkerCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<WorkerOptions>();
  CLI::App* command = app.add_subcommand("worker", "Be the accelerator: the process that is not trusted.");
  command->add_option("--listen", options->listen, "unix:PATH, HOST:PORT or [v6]:PORT")->required();
  command->add_option("--backend", options->backend, "cpu, cuda, or auto: cuda where there is a GPU")->capture_default_str();
  command->add_option("--accelerator-model", options->speed,
                      "answer as late as an accelerator of this speed would: 10x, or tflops=13.4,gbps=12,latency-us=20");
  command->add_option("--device", options->device, "which GPU, counted from 0")->capture_default_str();
  command->add_option("--memory-limit", options->memory_limit_bytes,
                      "of weights and buffers for one client, as 800MB or 2GiB [what the machine has]")
      ->transform(CLI::AsSizeValue(true));
  command->add_option("--threads", options->threads, "at most, whatever a client asks for [one for each processor]");
  command->add_option("--record", options->record, "directory in which to write down all that is received");
  command->add_flag("--once", options->once, "end with the first client");
  command->add_flag("--allow-remote", options->allow_remote, "listen where other machines can reach it");
  command->add_flag("!--no-shared-memory", options->shared_memory, "move all tensors in messages");
  command->callback([options, &chosen] {
    chosen.serve = [options] {
      if (auto file = compute::TuningFile()) compute::TuningCache::OfProcess().Attach(*file);
      return WorkerMain(*options);
    };
  });
}

}  // namespace soter
