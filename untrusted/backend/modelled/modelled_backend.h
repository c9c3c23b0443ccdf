#pragma once

#include <chrono>
#include <memory>
#include <unordered_map>
#include <vector>

#include "untrusted/backend/backend.h"
#include "untrusted/backend/modelled/speed.h"

namespace soter {

// ModelledBackend answers correctly, and as late as an accelerator of a given speed would, so that plans and overlap
// can be studied without one. Results are computed by another backend; inputs that a segment was given before get the
// same answer again, without computing, each output at its modelled time, while the processors are left to the
// enclave. What it is given for the first time takes as long as the other backend takes: repeat a run, and leave
// its first out. Copying answers back costs this machine's memory what a GPU's own engine would do unseen.
// Its name says that it is a model, and so does every report that names its backend.
class ModelledBackend : public Backend {
 public:
  // speed_text: as the user gave it.
  ModelledBackend(std::unique_ptr<Backend> computes, const AcceleratorSpeed& speed, std::string speed_text)
      : computes_(std::move(computes)), speed_(speed), speed_text_(std::move(speed_text)) {}

  BackendInfo info() const override;
  Status OnRegion(std::span<std::byte> region) override { return computes_->OnRegion(region); }
  Status LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) override {
    return computes_->LoadWeight(id, std::move(weight));
  }
  Status LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                     std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) override;
  Status Run(uint32_t segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
             const std::function<void(size_t)>& on_output) override;
  void DropSegments() override;
  void DropWeights() override { computes_->DropWeights(); }

 private:
  using Clock = std::chrono::steady_clock;

  // Known is what a segment answered to one set of inputs.
  struct Known {
    std::vector<Buffer> inputs, outputs;
  };
  struct Modelled {
    std::vector<size_t> input_bytes, output_bytes;
    std::vector<double> mul_adds;       // of everything up to an output
    std::vector<double> computed_ms;    // when an output was there, the fastest of all times it was computed
    std::vector<Known> known;           // the newest last
  };

  const Known* Find(const Modelled& segment, std::span<const std::byte* const> inputs) const;
  Status Compute(uint32_t id, Modelled& segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);
  Status Remember(Modelled& segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs) const;
  // When each output would be there, in ms from the start, for outputs in order.
  std::vector<double> ReadyTimes(const Modelled& segment) const;

  std::unique_ptr<Backend> computes_;
  AcceleratorSpeed speed_;
  std::string speed_text_;
  std::unordered_map<uint32_t, Modelled> segments_;
};

}  // namespace soter
