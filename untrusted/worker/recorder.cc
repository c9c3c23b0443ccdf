#include "untrusted/worker/recorder.h"

#include <filesystem>

#include "untrusted/npy/npy.h"

namespace soter {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kChannelBlock = 16;

// PhysicalType is a tensor as it lies in memory: recording changes nothing, not even the layout.
TensorType PhysicalType(const wire::Port& port) {
  const Shape& s = port.type.shape;
  switch (port.layout) {
    case Layout::kDense: return port.type;
    case Layout::kNhwc: return {port.type.dtype, {s[0], s[2], s[3], s[1]}};
    case Layout::kNChw16c:
      return {port.type.dtype, {s[0], (s[1] + kChannelBlock - 1) / kChannelBlock, s[2], s[3], kChannelBlock}};
  }
  CHECK(false, "unknown layout");
}

Status WriteFile(const std::string& path, std::string_view head, std::span<const std::byte> body) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(head.data(), static_cast<std::streamsize>(head.size()));
  file.write(reinterpret_cast<const char*>(body.data()), static_cast<std::streamsize>(body.size()));
  file.close();
  if (!file) return Unavailable("cannot write " + path);
  return {};
}

Status WriteNpy(const std::string& path, const TensorType& type, std::span<const std::byte> bytes) {
  return WriteFile(path, NpyHeader(type), bytes);
}

Result<std::string> MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Unavailable("cannot make " + path + ": " + error.message());
  return path;
}

std::string PortsJson(const std::vector<PortPlace>& places) {
  std::string text = "[";
  for (const PortPlace& place : places) {
    if (text.size() > 1) text += ",";
    text += "\n    {\"dtype\": \"" + std::string(DTypeName(place.port.type.dtype)) + "\", \"shape\": " +
            ShapeString(place.port.type.shape) + ", \"layout\": \"" + LayoutName(place.port.layout) +
            "\", \"planes\": " + std::to_string(place.port.planes) + ", \"size_bytes\": " +
            std::to_string(place.size_bytes) + "}";
  }
  return text + "]";
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::Open(const std::string& directory) {
  TRY(MakeFolder(directory + "/weights"));
  std::unique_ptr<Recorder> recorder(new Recorder(directory));
  recorder->events_.open(directory + "/events.jsonl", std::ios::trunc);
  TRY(recorder->Event("recording", 0, 0));
  return recorder;
}

Status Recorder::Event(const char* what, uint64_t number, size_t size_bytes) {
  auto elapsed = std::chrono::steady_clock::now() - start_;
  int64_t time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
  events_ << "{\"time_ns\": " << time_ns << ", \"event\": \"" << what << "\", \"number\": " << number
          << ", \"size_bytes\": " << size_bytes << "}\n"
          << std::flush;
  if (!events_) return Unavailable("cannot write " + directory_ + "/events.jsonl");
  return {};
}

Status Recorder::Weight(WeightId id, const Tensor& weight) {
  TRY(Event("weight", id, weight.bytes().size()));
  return WriteNpy(directory_ + "/weights/" + std::to_string(id) + ".npy", weight.type(), weight.bytes());
}

Status Recorder::Segment(const CheckedSegment& segment, std::span<const std::byte> graph) {
  uint64_t number = segments_recorded_++;
  folder_of_segment_[segment.id] = number;
  TRY(Event("segment", number, graph.size()));
  std::string folder = TRY(MakeFolder(directory_ + "/segments/" + std::to_string(number)));
  std::string json = "{\n  \"segment\": " + std::to_string(segment.id) + ",\n  \"arithmetic\": " +
                     std::to_string(static_cast<int>(segment.arithmetic)) + ",\n  \"inputs\": " +
                     PortsJson(segment.inputs) + ",\n  \"outputs\": " + PortsJson(segment.outputs) + "\n}\n";
  TRY(WriteFile(folder + "/segment.json", json, {}));
  TRY(WriteFile(folder + "/graph.txt", Dump(segment.graph.graph()), {}));
  return WriteFile(folder + "/graph.bin", {}, graph);
}

Status Recorder::BeginRun(uint32_t segment) {
  auto known = folder_of_segment_.find(segment);
  CHECK(known != folder_of_segment_.end(), "a run of a segment that was not recorded");
  std::string name = std::to_string(runs_recorded_++) + "-segment-" + std::to_string(known->second);
  TRY(Event("run", runs_recorded_ - 1, 0));
  run_folder_ = TRY(MakeFolder(directory_ + "/runs/" + name));
  return {};
}

Status Recorder::Input(size_t index, const wire::Port& port, std::span<const std::byte> bytes) {
  TRY(Event("input", index, bytes.size()));
  return WriteNpy(run_folder_ + "/input-" + std::to_string(index) + ".npy", PhysicalType(port), bytes);
}

Status Recorder::Output(size_t index, const wire::Port& port, std::span<const std::byte> bytes) {
  TRY(Event("output", index, bytes.size()));
  return WriteNpy(run_folder_ + "/output-" + std::to_string(index) + ".npy", PhysicalType(port), bytes);
}

}  // namespace soter
