#pragma once

#include <cstdint>
#include <string>

#include "untrusted/backend/backend.h"

namespace soter {

// WorkerOptions are those of `soter worker`.
struct WorkerOptions {
  std::string listen;             // unix:PATH, HOST:PORT or [v6]:PORT; port 0 picks a free one
  std::string backend = "cpu";    // cpu, cuda, or auto: cuda where there is a GPU
  std::string speed;              // of an accelerator to model, as ParseSpeed reads it; empty: none
  uint32_t device = 0;            // which GPU, for cuda
  BackendFactory factory;         // in place of `backend`, for tests
  uint64_t memory_limit_bytes = 0;  // of weights and buffers that one client may fill; 0: what the machine has
  uint32_t threads = 0;           // at most, whatever a client asks for; 0: one for each processor
  std::string record;             // directory for what is received; empty: none
  bool once = false;              // end with the first client
  bool allow_remote = false;      // listen on addresses that other machines reach
  bool shared_memory = true;
};

class Tampering;

// WorkerMain serves until SIGINT or SIGTERM (or, with `once`, until its client leaves) and returns an exit code:
// 0, 2 (an option is wrong) or 1. It prints "listening on ADDR" when clients can connect. `tampering`, where there
// is one, makes it lie.
int WorkerMain(const WorkerOptions& options, Tampering* tampering = nullptr);

}  // namespace soter
