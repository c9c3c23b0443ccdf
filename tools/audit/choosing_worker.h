#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "audit/attacks/active.h"
#include "untrusted/worker/recorder.h"
#include "untrusted/worker/server.h"
#include "untrusted/worker/tampering.h"

namespace soter::audit {

// ChoosingWorker is a worker in the adversary's hands: it computes like any other, but answers what it was told to. It
// records the load and the first batch (docs/spec/view.md), and keeps what it was sent after that.
class ChoosingWorker : public Tampering {
 public:
  // Start serves at a socket in `directory`, in a thread of its own; the record goes to directory/record.
  // `batch` is how many rows of each request are the adversary's. Errors: kUnavailable.
  static Result<std::unique_ptr<ChoosingWorker>> Start(const std::filesystem::path& directory, size_t batch);
  ~ChoosingWorker() override;

  std::string address() const { return wire::AddressString(listener_.address()); }
  std::filesystem::path record() const { return record_; }

  // EndHonestBatch ends the recording: what was sent so far is what the adversary's rows look like.
  void EndHonestBatch();
  // Choose sets the answer from now on. Null: honest.
  void Choose(const Choice* choice);
  // Sent is what each segment was last sent, dense; `rows` beyond the batch are fingerprints.
  std::map<size_t, std::vector<Tensor>> Sent() const;

  void OnWeight(WeightId id, Tensor& weight) override;
  void OnSegment(const CheckedSegment& segment, std::span<const std::byte> graph) override;
  bool WatchesInputs() const override { return true; }
  void OnInputs(uint64_t run, uint32_t segment, std::span<const std::span<const std::byte>> inputs,
                std::span<const wire::Port> ports) override;
  void BeforeOutput(const AnswerPlace& place, std::span<std::byte> output) override;

 private:
  ChoosingWorker(wire::Listener listener, size_t batch) : listener_(std::move(listener)), batch_(batch) {}
  void Note(const Status& status);
  std::vector<size_t> OwnRows(size_t segment, size_t rows) const;

  wire::Listener listener_;
  size_t batch_;
  std::filesystem::path record_;
  mutable std::mutex mutex_;  // the worker's thread against the adversary's
  std::unique_ptr<Recorder> recorder_;
  bool recording_ = true;
  std::map<uint32_t, size_t> number_of_;  // by the client's id: the order of loading
  std::map<size_t, std::vector<Tensor>> sent_;
  std::map<size_t, std::set<std::string>> honest_rows_;  // of each segment's first input
  const Choice* choice_ = nullptr;
  UniqueFd stop_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

// RowsInBoth are the rows of `first` that `second` has too, bit by bit, in their order: what a request that was made twice
// has in common. Fingerprints are drawn anew each time.
std::vector<size_t> RowsInBoth(const Tensor& first, const Tensor& second);
// TakeRows is a tensor of some rows of the first axis.
Tensor TakeRows(const Tensor& tensor, std::span<const size_t> rows);

}  // namespace soter::audit
