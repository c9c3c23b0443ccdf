// soter-hostile-worker: a worker that lies on demand, for tests of what the enclave catches.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "tests/hostile/bugs.h"
#include "untrusted/worker/worker_main.h"

int main(int argc, char** argv) {
  CLI::App app("A worker that lies on demand, for tests of what the enclave catches.");
  soter::WorkerOptions worker;
  soter::hostile::Options options;
  std::string name;
  bool list = false;
  app.add_flag("--list", list, "print the bugs and end");
  app.add_option("--listen", worker.listen, "unix:PATH, HOST:PORT or [v6]:PORT");
  app.add_option("--bug", name, "which lie to tell; see --list");
  app.add_option("--after", options.after, "runs of a connection that are answered honestly first");
  app.add_option("--rate", options.rate, "share of the later runs that are lies")->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", options.seed, "of its random choices");
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
  soter::Result<const soter::hostile::Bug*> bug = soter::hostile::FindBug(name);
  if (!bug.ok() || worker.listen.empty()) {
    std::fprintf(stderr, "soter-hostile-worker: %s\n",
                 bug.ok() ? "--listen ADDR is needed" : bug.error().message.c_str());
    return 2;
  }
  soter::hostile::Liar liar(**bug, options);
  return soter::WorkerMain(worker, &liar);
}
