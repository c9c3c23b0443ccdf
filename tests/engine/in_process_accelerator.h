#pragma once

#include <functional>
#include <map>
#include <vector>

#include "common/compute/program.h"
#include "trusted/engine/accelerator.h"

namespace soter {

// InProcessAccelerator computes segments in the test's own process, records what it was given, and lets a test change
// what it answers.
class InProcessAccelerator : public Accelerator {
 public:
  // Called with segment, output index and the bytes about to be answered.
  using Tamper = std::function<void(uint32_t, size_t, std::span<std::byte>)>;

  // What outlives the accelerator, which the session owns.
  struct Record {
    bool keeps = true;  // false: weights and inputs are not kept
    int threads = 1;
    std::vector<Tensor> weights;
    std::vector<std::vector<std::byte>> inputs;
    size_t starts = 0;
    size_t room_bytes = SIZE_MAX;                     // of weights; beyond it, they are refused
    std::function<bool(const Segment&)> refuses;      // a segment for which there is no room
    std::string backend = "in-process";               // what it calls itself
    std::vector<size_t> awaited;                      // results, of the last start
    std::vector<wire::Arithmetic> asked;              // by segment, of the last load
    Tamper tamper;
  };

  explicit InProcessAccelerator(Record& record) : record_(record) { info_.backend = record.backend; }

  const AcceleratorInfo& info() const override { return info_; }
  Status LoadWeight(WeightId id, TensorView weight) override;
  Result<std::vector<Refusal>> LoadSegments(std::span<const Segment> segments) override;
  Status Forget() override;
  std::span<std::byte> InputBuffer(uint32_t segment, size_t index) override;
  Status Start(uint32_t segment, Deadline deadline) override;
  Result<UntrustedTensor> Await(uint32_t segment, size_t index, Deadline deadline) override;
  Result<uint64_t> Finish(uint32_t, Deadline) override { return uint64_t{0}; }
  uint64_t bytes_sent() const override { return 0; }
  uint64_t bytes_received() const override { return 0; }

 private:
  struct Loaded {
    Program program;
    Segment segment;
    std::vector<Buffer> inputs, outputs;
  };

  Record& record_;
  AcceleratorInfo info_{"in-process", "test", {wire::Arithmetic::kFloat32}, true};
  std::map<WeightId, std::shared_ptr<const Tensor>> weights_;
  std::vector<Loaded> loaded_;
};

}  // namespace soter
