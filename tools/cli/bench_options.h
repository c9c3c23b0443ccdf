#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/cli/accelerator_options.h"

namespace soter {

// BenchOptions are those of `soter bench`.
struct BenchOptions {
  std::string report;                      // the directory that the report goes to
  std::vector<std::string> models = {"mlp", "alexnet"};  // names of the zoo, or ONNX files
  std::vector<std::string> schemes;        // empty: the six that the paper's figure compares, without ennclave
  std::vector<double> thetas = {0.8};
  std::vector<uint32_t> batches = {1};
  std::vector<std::string> dims;           // SYMBOL=EXTENT of symbolic dimensions but the batch; else 1
  std::vector<uint32_t> input_sizes;       // edge length of square images; empty: the model's own
  std::string check;                       // of schemes that check; empty: the scheme's own
  uint32_t rounds = 3, repeat = 5, warm_up = 2;
  bool predict = true;                     // before the first round
  double deadline_ms = 0, sdc_rate = 0.02; // of aegisdnn
  uint32_t fault_rounds = 4;               // of aegisdnn
  std::string worker = "auto";
  AcceleratorOptions accelerator;
  uint32_t threads = 0;                    // of each side; 0: as many as there are cores
  std::string accelerator_model;           // empty: the accelerator there is
  std::string public_model;                // for ennclave
  std::string compare;                     // an earlier report's JSON file
  std::string audit_json, integrity_json;  // reports of `soter audit` and `soter bench --integrity`, for the claims
  bool integrity = false;
};

}  // namespace soter
