#include "untrusted/backend/cuda/segment.h"

#include "untrusted/backend/cuda/kernels/movement.h"

namespace soter::cuda {

namespace {

// EnqueueCopy leaves out empty copies, which a recording need not take.
Status EnqueueCopy(void* to, const void* from, size_t size_bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (size_bytes == 0) return {};
  return CudaStatus(cudaMemcpyAsync(to, from, size_bytes, kind, stream), "copy a tensor");
}

}  // namespace

// A segment that was loaded or run in part may still be read or written.
Segment::~Segment() { Drain(); }

// Drain waits for each stream, since a run that failed on the way has not joined them.
void Segment::Drain() {
  for (cudaStream_t stream : {device_.upload(), device_.compute(), device_.download()}) {
    if (!IsLost()) static_cast<void>(AwaitIdle(stream));
  }
}

Status Segment::BindHost(const PinnedRegion& region, std::span<const std::byte* const> inputs,
                         std::span<std::byte* const> outputs) {
  bool stale = false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    stale |= TRY(inputs_[i].Bind(region, const_cast<std::byte*>(inputs[i])));  // only ever read
  }
  for (size_t i = 0; i < outputs_.size(); ++i) stale |= TRY(outputs_[i].Bind(region, outputs[i]));
  if (stale) recording_.reset();
  return {};
}

// EnqueueUploads lets both copy streams begin where compute() stands: after the run before, and inside the recording
// when there is one.
Status Segment::EnqueueUploads() {
  TRY(CudaStatus(cudaEventRecord(begun_.get(), device_.compute()), "record an event"));
  TRY(CudaStatus(cudaStreamWaitEvent(device_.upload(), begun_.get()), "wait for an event"));
  TRY(CudaStatus(cudaStreamWaitEvent(device_.download(), begun_.get()), "wait for an event"));
  for (size_t i = 0; i < inputs_.size(); ++i) {
    TRY(EnqueueCopy(landing_[i], inputs_[i].copied, inputs_[i].size_bytes, cudaMemcpyHostToDevice, device_.upload()));
    TRY(CudaStatus(cudaEventRecord(arrived_[i].get(), device_.upload()), "record an event"));
  }
  return {};
}

Status Segment::EnqueueDownload(uint32_t output) {
  const HostBuffer& to = outputs_[output];
  TRY(EnqueueCopy(to.copied, leaving_[output], to.size_bytes, cudaMemcpyDeviceToHost, device_.download()));
  return CudaStatus(LaunchSignal(device_.download(), progress_->device_flag(output)), "signal an output");
}

Status Segment::EnqueueStep(size_t s) {
  for (uint32_t input : schedule_.waits[s]) {
    TRY(CudaStatus(cudaStreamWaitEvent(device_.compute(), arrived_[input].get()), "wait for an event"));
  }
  TRY(steps_[s].step->Launch(ArgumentsOf(steps_[s])));
  if (schedule_.completes[s].empty()) return {};
  TRY(CudaStatus(cudaEventRecord(done_[s].get(), device_.compute()), "record an event"));
  TRY(CudaStatus(cudaStreamWaitEvent(device_.download(), done_[s].get()), "wait for an event"));
  for (uint32_t output : schedule_.completes[s]) TRY(EnqueueDownload(output));
  return {};
}

// Join makes compute() wait for what `stream` has been given.
Status Segment::Join(cudaStream_t stream, const Event& event) {
  TRY(CudaStatus(cudaEventRecord(event.get(), stream), "record an event"));
  return CudaStatus(cudaStreamWaitEvent(device_.compute(), event.get()), "wait for an event");
}

Status Segment::Enqueue() {
  TRY(EnqueueUploads());
  for (size_t s = 0; s < steps_.size(); ++s) TRY(EnqueueStep(s));
  TRY(Join(device_.upload(), uploads_joined_));
  return Join(device_.download(), downloads_joined_);
}

// Record captures a run as a CUDA graph, which starts in one call what takes one for each step. Capturing runs
// nothing; when it fails the segment is submitted step by step for ever, which is slower and as right.
Status Segment::Record() {
  cudaGraph_t graph = nullptr;
  TRY(CudaStatus(cudaStreamBeginCapture(device_.compute(), cudaStreamCaptureModeThreadLocal), "begin a recording"));
  Status enqueued = Enqueue();
  Status ended = CudaStatus(cudaStreamEndCapture(device_.compute(), &graph), "end a recording");
  Owned<cudaGraph_t, cudaGraphDestroy> owned(graph);
  TRY(enqueued);
  TRY(ended);
  cudaGraphExec_t executable = nullptr;
  TRY(CudaStatus(cudaGraphInstantiate(&executable, graph, 0), "make a recording ready"));
  recording_.reset(executable);
  return {};
}

// Submit starts a run. The first run is never recorded: libraries load code in it, which a capture does not allow.
Status Segment::Submit() {
  if (recording_ == nullptr && may_record_ && runs_ > 0) may_record_ = Record().ok();
  if (IsLost()) return Unavailable("the GPU was lost");
  ++runs_;
  if (recording_ == nullptr) return Enqueue();
  return CudaStatus(cudaGraphLaunch(recording_.get(), device_.compute()), "launch a recording");
}

Status Segment::Deliver(const std::function<void(size_t)>& on_output) {
  for (uint32_t output : schedule_.order) {
    TRY(progress_->AwaitOutput(output, device_.compute()));
    outputs_[output].GiveToCaller();
    on_output(output);
  }
  return AwaitIdle(device_.compute());
}

Status Segment::Run(const PinnedRegion& region, std::span<const std::byte* const> inputs,
                    std::span<std::byte* const> outputs, const std::function<void(size_t)>& on_output) {
  if (IsLost()) return Unavailable("the GPU was lost");
  TRY(BindHost(region, inputs, outputs));
  for (const HostBuffer& input : inputs_) input.TakeFromCaller();
  progress_->Clear();
  Status ran = Submit();
  if (ran.ok()) ran = Deliver(on_output);
  if (!ran.ok()) {
    Drain();  // what was begun still reads and writes the caller's memory
    return ran;
  }
  if (progress_->faulted()) return InvalidArgument("an index to gather is out of range");
  return {};
}

}  // namespace soter::cuda
