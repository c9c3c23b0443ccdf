#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "untrusted/worker/segment_check.h"

namespace soter {

// Recorder writes down everything that a worker receives, and what it answers (docs/spec/view.md).
// One client at a time.
class Recorder {
 public:
  // Open makes `directory` when it is not there. Errors: kUnavailable, naming it.
  static Result<std::unique_ptr<Recorder>> Open(const std::string& directory);

  // Errors of each: kUnavailable (a file that cannot be written, named).
  Status Weight(WeightId id, const Tensor& weight);
  // Segment starts a new numbered folder for a segment; runs refer to it.
  Status Segment(const CheckedSegment& segment, std::span<const std::byte> graph);
  // BeginRun starts a new numbered folder for a run; Input and Output write into it.
  Status BeginRun(uint32_t segment);
  Status Input(size_t index, const wire::Port& port, std::span<const std::byte> bytes);
  Status Output(size_t index, const wire::Port& port, std::span<const std::byte> bytes);

 private:
  explicit Recorder(std::string directory) : directory_(std::move(directory)) {}

  // Event adds a line to events.jsonl: what happened, when, in which order, and how many bytes it had.
  Status Event(const char* what, uint64_t number, size_t size_bytes);

  std::string directory_;
  std::ofstream events_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string run_folder_;
  uint64_t segments_recorded_ = 0, runs_recorded_ = 0;
  std::unordered_map<uint32_t, uint64_t> folder_of_segment_;
};

}  // namespace soter
