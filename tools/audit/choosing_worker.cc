#include "tools/audit/choosing_worker.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cstdio>

#include "common/compute/program.h"
#include "untrusted/backend/cpu/cpu_backend.h"

namespace soter::audit {
namespace {

Tensor Dense(const wire::Port& port, std::span<const std::byte> bytes) {
  Tensor dense = Tensor::Allocate(port.type).value();
  if (port.layout == Layout::kDense) {
    std::ranges::copy(bytes.first(dense.bytes().size()), dense.mutable_bytes().begin());
  } else {
    Relayout(port.type, port.layout, bytes.data(), Layout::kDense, dense.mutable_bytes().data());
  }
  return dense;
}

void PutBack(const Tensor& dense, const wire::Port& port, std::span<std::byte> bytes) {
  if (port.layout == Layout::kDense) std::ranges::copy(dense.bytes(), bytes.begin());
  else Relayout(port.type, Layout::kDense, dense.bytes().data(), port.layout, bytes.data());
}

size_t RowCount(const Tensor& tensor) { return tensor.shape().empty() ? 1 : static_cast<size_t>(tensor.shape()[0]); }
size_t RowBytes(const Tensor& tensor) { return tensor.bytes().size() / std::max<size_t>(1, RowCount(tensor)); }

std::string RowText(const Tensor& tensor, size_t row) {
  size_t size = RowBytes(tensor);
  return {reinterpret_cast<const char*>(tensor.bytes().data()) + row * size, size};
}

}  // namespace

Result<std::unique_ptr<ChoosingWorker>> ChoosingWorker::Start(const std::filesystem::path& directory, size_t batch) {
  wire::Address address{.kind = wire::Address::Kind::kUnix, .path = directory / "worker"};
  std::unique_ptr<ChoosingWorker> worker(
      new ChoosingWorker(TRY(wire::Listener::Listen(address, wire::Reach::kThisMachine)), batch));
  worker->record_ = directory / "record";
  worker->recorder_ = TRY(Recorder::Open(worker->record_.string()));
  worker->stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!worker->stop_.valid()) return Unavailable("no descriptor is left for a worker");
  ServerOptions options;
  options.session.tampering = worker.get();
  BackendFactory factory = [](uint32_t threads) -> Result<std::unique_ptr<Backend>> {
    return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(threads));
  };
  worker->server_ = std::make_unique<Server>(worker->listener_, std::move(factory), std::move(options));
  worker->thread_ = std::thread([server = worker->server_.get(), stop = worker->stop_.get()] {
    Status served = server->Serve(stop);
    if (!served.ok()) std::fprintf(stderr, "the choosing worker: %s\n", served.error().message.c_str());
  });
  return worker;
}

ChoosingWorker::~ChoosingWorker() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
  server_.reset();  // ends the threads that call back
}

void ChoosingWorker::Note(const Status& status) {
  if (!status.ok()) std::fprintf(stderr, "the choosing worker: %s\n", status.error().message.c_str());
}

void ChoosingWorker::OnWeight(WeightId id, Tensor& weight) {
  std::lock_guard lock(mutex_);
  if (recording_) Note(recorder_->Weight(id, weight));
}

void ChoosingWorker::OnSegment(const CheckedSegment& segment, std::span<const std::byte> graph) {
  std::lock_guard lock(mutex_);
  if (!recording_) return;
  number_of_[segment.id] = number_of_.size();
  Note(recorder_->Segment(segment, graph));
}

void ChoosingWorker::OnInputs(uint64_t, uint32_t segment, std::span<const std::span<const std::byte>> inputs,
                              std::span<const wire::Port> ports) {
  std::lock_guard lock(mutex_);
  if (recording_) Note(recorder_->BeginRun(segment));
  std::vector<Tensor>& sent = sent_[number_of_.at(segment)];
  sent.clear();
  for (size_t i = 0; i < inputs.size(); ++i) {
    sent.push_back(Dense(ports[i], inputs[i]));
    if (recording_) Note(recorder_->Input(i, ports[i], inputs[i]));
  }
}

void ChoosingWorker::BeforeOutput(const AnswerPlace& place, std::span<std::byte> output) {
  std::lock_guard lock(mutex_);
  if (recording_) Note(recorder_->Output(place.index, *place.port, output));
  if (choice_ == nullptr || number_of_.at(place.segment) != choice_->segment || place.index != choice_->output) return;
  Tensor answer = Dense(*place.port, output);
  size_t size = RowBytes(answer);
  std::vector<size_t> own = OwnRows(choice_->segment, RowCount(answer));
  for (size_t i = 0; i < own.size(); ++i)
    std::ranges::copy(choice_->answer.bytes().subspan(i * size, size),
                      answer.mutable_bytes().begin() + static_cast<ptrdiff_t>(own[i] * size));
  PutBack(answer, *place.port, output);
}

// OwnRows are the places of the adversary's rows in the request that is being answered: those that came in the honest batch.
// Fingerprints are drawn anew for every request.
std::vector<size_t> ChoosingWorker::OwnRows(size_t segment, size_t rows) const {
  std::vector<size_t> own;
  const Tensor& input = sent_.at(segment).front();
  for (size_t row = 0; row < rows && own.size() < batch_; ++row)
    if (rows == batch_ || honest_rows_.at(segment).contains(RowText(input, row))) own.push_back(row);
  return own;
}

void ChoosingWorker::EndHonestBatch() {
  std::lock_guard lock(mutex_);
  recording_ = false;
  for (const auto& [segment, inputs] : sent_)
    for (size_t row = 0; row < RowCount(inputs.front()); ++row)
      honest_rows_[segment].insert(RowText(inputs.front(), row));
}

void ChoosingWorker::Choose(const Choice* choice) {
  std::lock_guard lock(mutex_);
  choice_ = choice;
}

std::map<size_t, std::vector<Tensor>> ChoosingWorker::Sent() const {
  std::lock_guard lock(mutex_);
  std::map<size_t, std::vector<Tensor>> copy;
  for (const auto& [segment, inputs] : sent_)
    for (const Tensor& input : inputs) copy[segment].push_back(input.Clone());
  return copy;
}

std::vector<size_t> RowsInBoth(const Tensor& first, const Tensor& second) {
  std::set<std::string> known;
  for (size_t row = 0; row < RowCount(second); ++row) known.insert(RowText(second, row));
  std::vector<size_t> both;
  for (size_t row = 0; row < RowCount(first); ++row)
    if (known.contains(RowText(first, row))) both.push_back(row);
  return both;
}

Tensor TakeRows(const Tensor& tensor, std::span<const size_t> rows) {
  Shape shape = tensor.shape();
  shape[0] = static_cast<int64_t>(rows.size());
  Tensor taken = Tensor::Allocate({tensor.dtype(), shape}).value();
  size_t size = RowBytes(tensor);
  for (size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(tensor.bytes().subspan(rows[i] * size, size),
                      taken.mutable_bytes().begin() + static_cast<ptrdiff_t>(i * size));
  return taken;
}

}  // namespace soter::audit
