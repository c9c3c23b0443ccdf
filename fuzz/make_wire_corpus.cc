// make_wire_corpus DIRECTORY: writes the seeds of fuzz/corpus/wire and fuzz/corpus/control. Run it again when a
// message changes.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/writer.h"
#include "common/graph/codec.h"
#include "common/graph/testing/graph_builder.h"
#include "common/wire/control_codec.h"
#include "common/wire/message_codec.h"

namespace soter {
namespace {

std::string g_directory;

void Write(const std::string& name, uint8_t type, const std::vector<std::byte>& bytes) {
  std::ofstream file(g_directory + "/" + name, std::ios::binary);
  file.put(static_cast<char>(type));
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

template <typename Message>
void Wire(const std::string& name, wire::MessageType type, const Message& message) {
  Write("wire/" + name, static_cast<uint8_t>(type), wire::Encode(message));
}

template <typename Message>
void Control(const std::string& name, uint8_t number, const Message& message) {
  Write("control/" + name, number, control::Encode(message));
}

wire::LoadSegment LinearSegment() {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{3, 4});
  ValueId weight = builder.Weight({4, 4});
  builder.graph().initializers.back().weight = 7;
  builder.Output(builder.Add(Linear{}, {x, weight}));
  Writer graph;
  auto write = [&graph](std::span<const std::byte> bytes) -> Status {
    graph.WriteBytes(bytes);
    return {};
  };
  CHECK(EncodeGraph(builder.graph(), write).ok(), "a small graph can be encoded");
  wire::Port port{.type = {DType::kFloat32, {3, 4}}, .offset = 4096};
  wire::Port after = port;
  after.offset = 8192;
  return {.segment = 1, .inputs = {port}, .outputs = {after}, .graph = std::move(graph).Take()};
}

void WriteWire() {
  using wire::MessageType;
  Wire("hello", MessageType::kHello, wire::Hello{.threads = 2});
  Wire("hello-reply", MessageType::kHelloReply,
       wire::HelloReply{.backend = "cpu", .device = "a CPU", .arithmetics = {wire::Arithmetic::kFloat32}});
  Wire("attach", MessageType::kAttach, wire::Attach{"/dev/shm/soter-1-2", 8192});
  Wire("load-weight", MessageType::kLoadWeight, wire::LoadWeight{7, {DType::kFloat32, {4, 4}}});
  Wire("load-segment", MessageType::kLoadSegment, LinearSegment());
  wire::LoadSegment overlapping = LinearSegment();
  overlapping.outputs[0].offset = 4096;
  Wire("load-segment-overlapping", MessageType::kLoadSegment, overlapping);
  wire::LoadSegment outside = LinearSegment();
  outside.outputs[0].offset = ~uint64_t{63};
  Wire("load-segment-outside", MessageType::kLoadSegment, outside);
  Wire("drop", MessageType::kDrop, wire::Drop{true});
  Wire("run", MessageType::kRun, wire::Run{1});
  Wire("output", MessageType::kOutput, wire::Output{0});
  Wire("done", MessageType::kDone, wire::Done{1'000'000});
  Wire("failed", MessageType::kFailed, wire::Failed{ErrorCode::kExhausted, "no memory"});
}

void WriteControl() {
  Control("settings", 0, control::Settings{.worker = "unix:/run/worker", .seed = 1});
  Control("model-report", 1, control::ModelReport{.inputs = {{"x", DType::kFloat32, {-1, 3}, {"batch", ""}}},
                                                  .outputs = {"y"}, .tee = "dev"});
  Control("plan-request", 2, control::PlanRequest{.input_shapes = {{1, 3, 8, 8}}});
  Control("plan-report", 3, control::PlanReport{.nodes = {{.name = "conv", .op = "Conv"}}});
  control::RunRequest request;
  request.inputs.push_back(Tensor::FromValues<float>({2}, {1, 2}));
  Control("run-request", 4, request);
  control::RunReport report;
  report.outputs.push_back({"y", Tensor::FromValues<int64_t>({2}, {1, 2})});
  report.repeats = {{.total = 1}};
  Control("run-report", 5, report);
  Control("progress", 6, control::Progress{"loading", 0.5});
  Control("failure", 7, control::Failure{ErrorCode::kIntegrity, "wrong"});
  Control("sealed-model", 8,
          control::SealedModel{.identity = "id", .signer = "signer", .signature = "sig", .ciphertext_bytes = 9});
  Control("attest-request", 9, control::AttestRequest{.nonce = std::vector<std::byte>(16, std::byte{7})});
  Control("attested", 10, control::Attested{.evidence = std::vector<std::byte>(2, std::byte{'x'})});
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_wire_corpus DIRECTORY\n");
    return 2;
  }
  soter::g_directory = argv[1];
  std::filesystem::create_directories(soter::g_directory + "/wire");
  std::filesystem::create_directories(soter::g_directory + "/control");
  soter::WriteWire();
  soter::WriteControl();
  return 0;
}
