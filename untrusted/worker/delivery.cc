#include "untrusted/worker/delivery.h"

#include <algorithm>

#include "common/wire/exchange.h"

namespace soter {

Delivery::Delivery(wire::Connection& connection, Recorder* recorder, Tampering& tampering,
                   std::chrono::milliseconds stall_limit)
    : connection_(connection), recorder_(recorder), tampering_(tampering), stall_limit_(stall_limit),
      on_output_([this](size_t index) { Complete(index); }) {}

void Delivery::Begin(const Run& run) {
  run_ = run;
  ++run_count_;
  complete_.assign(run.loaded->segment.outputs.size(), 0);
  delivered_ = 0;
  status_ = {};
}

void Delivery::ShowInputs() {
  if (!tampering_.WatchesInputs()) return;
  std::vector<std::span<const std::byte>> inputs;
  std::vector<wire::Port> ports;
  for (size_t i = 0; i < run_.loaded->segment.inputs.size(); ++i) {
    inputs.push_back(run_.loaded->buffers.arriving(i));
    ports.push_back(run_.loaded->segment.inputs[i].port);
  }
  tampering_.OnInputs(run_count_ - 1, run_.loaded->segment.id, inputs, ports);
}

void Delivery::Complete(size_t index) {
  CHECK(index < complete_.size(), "a backend completed an output that is not there");
  complete_[index] = 1;
  if (!tampering_.HoldsOutputs()) DeliverReady();
}

void Delivery::DeliverReady() {
  while (status_.ok() && delivered_ < complete_.size() && complete_[delivered_] != 0) {
    status_ = Deliver(delivered_);
    ++delivered_;
  }
}

Status Delivery::Deliver(size_t index) {
  const LoadedSegment& loaded = *run_.loaded;
  std::span<std::byte> bytes = loaded.buffers.leaving(index);
  AnswerPlace place{.run = run_count_ - 1,
                    .segment = loaded.segment.id,
                    .index = index,
                    .port = &loaded.segment.outputs[index].port,
                    .connection = &connection_};
  if (!tampering_.HoldsOutputs()) loaded.buffers.CopyOut(index);
  tampering_.BeforeOutput(place, bytes);
  if (recorder_ != nullptr) TRY(recorder_->Output(index, *place.port, bytes));
  if (run_.doorbell != nullptr) {
    TRY(run_.doorbell->Publish(static_cast<uint32_t>(index + 1), Soon()));
  } else {
    std::vector<std::byte> head = wire::EncodeHead(wire::Output{static_cast<uint32_t>(index)});
    TRY(Reply(wire::MessageType::kOutput, {head, bytes}));
  }
  tampering_.AfterOutput(place, bytes);
  return {};
}

Status Delivery::Finish(uint64_t compute_ns) {
  if (tampering_.HoldsOutputs()) {
    std::vector<wire::Port> ports;
    for (const PortPlace& place : run_.loaded->segment.outputs) ports.push_back(place.port);
    for (size_t i = 0; i < ports.size(); ++i) run_.loaded->buffers.CopyOut(i);
    tampering_.OnAllOutputs(run_count_ - 1, run_.loaded->buffers.all_leaving(), ports);
  }
  std::ranges::fill(complete_, uint8_t{1});
  DeliverReady();
  TRY(status_);
  if (run_.doorbell != nullptr) {
    return run_.doorbell->Finish(static_cast<uint32_t>(complete_.size()), compute_ns, Soon());
  }
  std::vector<std::byte> done = wire::Encode(wire::Done{compute_ns});
  return Reply(wire::MessageType::kDone, {done});
}

Status Delivery::Fail(const Run& run, const Error& error) {
  TRY(wire::SendMessage(connection_, wire::MessageType::kFailed, run.request,
                        wire::Failed{error.code, error.message}, Soon()));
  if (run.doorbell == nullptr) return {};
  return run.doorbell->Publish(wire::kReadyFailed, Soon());
}

Status Delivery::Reply(wire::MessageType type, std::initializer_list<wire::Connection::Piece> pieces) {
  std::span<const wire::Connection::Piece> view(pieces.begin(), pieces.size());
  if (tampering_.BeforeReply(run_count_ - 1, type, run_.request, view, connection_)) return {};
  return connection_.Send(static_cast<uint16_t>(type), run_.request, view, Soon());
}

}  // namespace soter
