#include "tests/cuda_model/model_runtime.h"

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "common/base/check.h"
#include "common/tensor/tensor.h"

namespace {

using soter::cuda_model::Faults;
using Lock = std::unique_lock<std::mutex>;

// Node is a piece of recorded work and what it depends on.
struct GraphNode {
  std::function<void()> work;
  std::set<size_t> after;
};

}  // namespace

struct CUgraph_st {
  std::vector<GraphNode> nodes;
};
struct CUgraphExec_st {
  std::vector<GraphNode> nodes;
};
struct CUevent_st {
  uint64_t recorded = 0, done = 0;   // how often it was asked to be recorded, and was
  CUgraph_st* graph = nullptr;       // of the recording that it belongs to
  std::set<size_t> after;
};
struct CUstream_st {
  struct Work {
    std::function<bool()> ready;
    std::function<void()> run;
  };
  std::deque<Work> queue;
  bool busy = false;
  CUgraph_st* graph = nullptr;  // being recorded
  std::set<size_t> after;
};

namespace {

// Device is what all of the runtime's functions work on.
class Device {
 public:
  Device(uint64_t seed, const Faults& faults) : random_(seed), faults_(faults), thread_([this] { Work(); }) {}
  ~Device() {
    {
      Lock lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<CUstream_st*> streams_;
  std::mt19937_64 random_;
  Faults faults_;
  cudaError_t sticky_ = cudaSuccess, last_ = cudaSuccess;
  std::map<void*, size_t> device_memory_, pinned_;
  size_t device_bytes_ = 0;
  uint64_t recordings_run_ = 0;

  cudaError_t Fail(cudaError_t error) { return last_ = error; }

  // Pinned: whether the device can reach host memory at any time; a recording must not touch other memory.
  bool Pinned(const void* data, size_t bytes) const {
    for (auto [begin, size] : pinned_) {
      auto* first = static_cast<const std::byte*>(begin);
      auto* at = static_cast<const std::byte*>(data);
      if (at >= first && at + bytes <= first + size) return true;
    }
    return false;
  }

  cudaError_t Enqueue(CUstream_st* stream, std::function<void()> work) {
    Lock lock(mutex_);
    if (sticky_ != cudaSuccess) return Fail(sticky_);
    if (stream->graph != nullptr) {
      size_t node = stream->graph->nodes.size();
      stream->graph->nodes.push_back({std::move(work), stream->after});
      stream->after = {node};
      return cudaSuccess;
    }
    stream->queue.push_back({[] { return true; }, std::move(work)});
    changed_.notify_all();
    return cudaSuccess;
  }

  // RunGraph runs recorded work in any order that its dependencies allow.
  void RunGraph(const std::vector<GraphNode>& nodes) {
    std::set<size_t> done;
    while (done.size() < nodes.size()) {
      std::vector<size_t> ready;
      for (size_t i = 0; i < nodes.size(); ++i) {
        bool waits = done.contains(i) || !std::includes(done.begin(), done.end(), nodes[i].after.begin(), nodes[i].after.end());
        if (!waits) ready.push_back(i);
      }
      CHECK(!ready.empty(), "a recording has no circles");
      size_t next = ready[random_() % ready.size()];
      nodes[next].work();
      done.insert(next);
    }
  }

 private:
  void Work() {
    Lock lock(mutex_);
    while (!ending_) {
      std::vector<CUstream_st*> ready;
      for (CUstream_st* stream : streams_) {
        if (!stream->queue.empty() && stream->queue.front().ready()) ready.push_back(stream);
      }
      if (ready.empty()) {
        changed_.wait(lock);
        continue;
      }
      CUstream_st* stream = ready[random_() % ready.size()];
      auto run = std::move(stream->queue.front().run);
      stream->queue.pop_front();
      stream->busy = true;
      lock.unlock();
      run();
      if (random_() % 4 == 0) std::this_thread::yield();
      lock.lock();
      stream->busy = false;
    }
  }

  bool ending_ = false;
  std::thread thread_;
};

std::unique_ptr<Device> device;

}  // namespace

namespace soter::cuda_model {

void Reset(uint64_t seed, const Faults& faults) {
  device.reset();
  device = std::make_unique<Device>(seed, faults);
}

void SetFaults(const Faults& faults) {
  Lock lock(device->mutex_);
  device->faults_ = faults;
}

int Launch(CUstream_st* stream, std::function<void()> work) {
  {
    Lock lock(device->mutex_);
    if (device->sticky_ != cudaSuccess) return device->Fail(device->sticky_);
  }
  return device->Enqueue(stream, [work = std::move(work)] {
    Lock lock(device->mutex_);
    if (device->faults_.launch_fails_after == 0) device->sticky_ = cudaErrorIllegalAddress;
    if (device->faults_.launch_fails_after > 0) --device->faults_.launch_fails_after;
    if (device->sticky_ != cudaSuccess) return;
    while (device->faults_.hangs) {
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      lock.lock();
    }
    lock.unlock();
    work();
  });
}

size_t allocated_bytes() { return device->device_bytes_; }
uint64_t recordings_run() { return device->recordings_run_; }

}  // namespace soter::cuda_model

// The runtime's functions, those that the backend calls.
extern "C" {

cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
cudaError_t cudaSetDevice(int) { return device->sticky_; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "model");
  properties->major = 9;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) { return *least = 0, *greatest = -1, cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *free_bytes = *total = std::min<size_t>(device->faults_.device_bytes, size_t{1} << 30);
  *free_bytes -= std::min(*free_bytes, device->device_bytes_);
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  cudaError_t last = device->sticky_ != cudaSuccess ? device->sticky_ : device->last_;
  device->last_ = cudaSuccess;
  return last;
}
const char* cudaGetErrorString(cudaError_t) { return "as the model was told"; }

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  Lock lock(device->mutex_);
  if (bytes > device->faults_.device_bytes || device->device_bytes_ > device->faults_.device_bytes - bytes) {
    return device->Fail(cudaErrorMemoryAllocation);
  }
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*memory, 0xa5, bytes);
  device->device_memory_[*memory] = bytes;
  device->device_bytes_ += bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  Lock lock(device->mutex_);
  for (CUstream_st* stream : device->streams_) CHECK(stream->queue.empty() && !stream->busy, "memory is freed that is in use");
  auto found = device->device_memory_.find(memory);
  CHECK(found != device->device_memory_.end(), "memory is freed that is none");
  device->device_bytes_ -= found->second;
  device->device_memory_.erase(found);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  Lock lock(device->mutex_);
  *memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  device->pinned_[*memory] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  Lock lock(device->mutex_);
  CHECK(device->pinned_.erase(memory) == 1, "pinned memory is freed that is none");
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaHostGetDevicePointer(void** there, void* here, unsigned) { return *there = here, cudaSuccess; }
cudaError_t cudaHostRegister(void* memory, size_t bytes, unsigned) {
  Lock lock(device->mutex_);
  if (device->faults_.no_pinning) return device->Fail(cudaErrorMemoryAllocation);
  device->pinned_[memory] = bytes;
  return cudaSuccess;
}
cudaError_t cudaHostUnregister(void* memory) {
  Lock lock(device->mutex_);
  return device->pinned_.erase(memory) == 1 ? cudaSuccess : device->Fail(cudaErrorHostMemoryNotRegistered);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) {
  *stream = new CUstream_st;
  Lock lock(device->mutex_);
  device->streams_.insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  Lock lock(device->mutex_);
  CHECK(stream->queue.empty() && !stream->busy, "a stream ends with work under way");
  device->streams_.erase(stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  Lock lock(device->mutex_);
  if (stream->graph != nullptr) return device->Fail(cudaErrorStreamCaptureUnsupported);
  if (device->sticky_ != cudaSuccess) return device->Fail(device->sticky_);
  if (stream->queue.empty() && !stream->busy) return cudaSuccess;
  lock.unlock();
  std::this_thread::sleep_for(std::chrono::microseconds(20));  // the host asks in a loop: let the device have the lock
  return cudaErrorNotReady;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaErrorNotSupported; }  // blocks in the driver: not to be used

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const void* host = kind == cudaMemcpyHostToDevice ? from : to;
  if (stream->graph != nullptr && kind != cudaMemcpyDeviceToDevice && !device->Pinned(host, bytes)) {
    return device->Fail(cudaErrorStreamCaptureUnsupported);
  }
  return device->Enqueue(stream, [=] { std::memcpy(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return device->Enqueue(stream, [=] { std::memset(to, value, bytes); });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return *event = new CUevent_st, cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return cudaEventCreate(event); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t, cudaEvent_t) { return *ms = 1, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  Lock lock(device->mutex_);
  event->graph = stream->graph;
  if (stream->graph != nullptr) {
    event->after = stream->after;
    return cudaSuccess;
  }
  uint64_t time = ++event->recorded;
  stream->queue.push_back({[] { return true; }, [event, time] {
                             Lock inner(device->mutex_);
                             event->done = std::max(event->done, time);
                           }});
  device->changed_.notify_all();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  Lock lock(device->mutex_);
  if (event->graph != nullptr) {  // draws the stream into the recording
    if (stream->graph == nullptr && (!stream->queue.empty() || stream->busy)) return device->Fail(cudaErrorStreamCaptureIsolation);
    stream->graph = event->graph;
    stream->after.insert(event->after.begin(), event->after.end());
    return cudaSuccess;
  }
  if (stream->graph != nullptr) return device->Fail(cudaErrorStreamCaptureIsolation);
  uint64_t time = event->recorded;
  stream->queue.push_back({[event, time] { return event->done >= time; }, [] {}});
  device->changed_.notify_all();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  Lock lock(device->mutex_);
  stream->graph = new CUgraph_st;
  stream->after.clear();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  Lock lock(device->mutex_);
  CUgraph_st* made = stream->graph;
  // What no later work of the stream depends on was not joined.
  std::set<size_t> reached = stream->after;
  for (size_t i = made->nodes.size(); i-- > 0;) {
    if (reached.contains(i)) reached.insert(made->nodes[i].after.begin(), made->nodes[i].after.end());
  }
  bool joined = reached.size() == made->nodes.size();
  for (CUstream_st* other : device->streams_) {
    if (other->graph == made) other->graph = nullptr, other->after.clear();
  }
  if (!joined || device->faults_.no_recording) {
    delete made;
    *graph = nullptr;
    return device->Fail(joined ? cudaErrorStreamCaptureInvalidated : cudaErrorStreamCaptureUnjoined);
  }
  *graph = made;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return delete executable, cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return device->Enqueue(stream, [executable] {
    ++device->recordings_run_;
    device->RunGraph(executable->nodes);
  });
}

// The libraries: nothing of them is modelled but their handles.
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) { return *handle = nullptr, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnDestroy(cudnnHandle_t) { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }
const char* cudnnGetErrorString(cudnnStatus_t) { return "model"; }
cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) { return *handle = nullptr, CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }
const char* cublasLtGetStatusString(cublasStatus_t) { return "model"; }

}  // extern "C"

namespace soter::cuda {

cudaError_t LaunchSignal(cudaStream_t stream, uint32_t* flag) {
  return static_cast<cudaError_t>(cuda_model::Launch(stream, [flag] { __atomic_store_n(flag, 1, __ATOMIC_RELEASE); }));
}
cudaError_t LaunchCast(cudaStream_t, DType, DType, int64_t, const void*, void*) { return cudaErrorNotSupported; }

}  // namespace soter::cuda
