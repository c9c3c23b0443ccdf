#include "common/wire/control_codec.h"

#include <cmath>

#include "common/wire/field_codec.h"

namespace soter::control {

namespace {

// CheckFields refuses what the fields' types allow but the specification does not.
template <typename Message>
Status CheckFields(const Message&) {
  return {};
}

// A comparison that NaN fails.
bool IsShare(double value) { return value >= 0.0 && value <= 1.0; }

Status CheckFields(const Settings& settings) {
  if (!IsShare(settings.theta)) return Malformed("theta must be 0 to 1");
  if (!IsShare(settings.fingerprint_rate)) return Malformed("fingerprint_rate must be 0 to 1");
  if (settings.cornerstones < 1 || settings.cornerstones > kMaxCornerstones) {
    return Malformed("cornerstones must be 1 to 4096");
  }
  for (uint32_t threads : {settings.threads, settings.worker_threads}) {
    if (threads < 1 || threads > kMaxThreads) return Malformed("threads must be 1 to 1024");
  }
  if (settings.timeout_ms == 0) return Malformed("timeout_ms must be at least 1");
  if (!(settings.deadline_ms >= 0)) return Malformed("deadline_ms must be 0 or more");
  if (!IsShare(settings.sdc_rate)) return Malformed("sdc_rate must be 0 to 1");
  if (settings.fault_rounds < 1) return Malformed("fault_rounds must be at least 1");
  return {};
}

Status CheckFields(const AttestRequest& request) {
  bool fits = request.nonce.size() >= kMinNonceBytes && request.nonce.size() <= kMaxNonceBytes;
  return fits ? Status() : Malformed("a nonce is 16 to 64 bytes");
}

Status CheckFields(const ModelReport& report) {
  for (const PortInfo& port : report.inputs) {
    if (port.shape.size() > kMaxRank || port.symbols.size() != port.shape.size()) {
      return Malformed("an input's shape and symbols do not fit together");
    }
  }
  return {};
}

Status CheckFields(const PlanRequest& request) {
  for (const Shape& shape : request.input_shapes) TRY(ElementCount(shape));
  return {};
}

Status CheckFields(const RunRequest& request) {
  if (request.repeat < 1) return Malformed("repeat must be at least 1");
  return {};
}

Status CheckFields(const RunReport& report) {
  if (report.verified > 2) return Malformed("verified must be 0, 1 or 2");
  return {};
}

Status CheckFields(const Progress& progress) {
  if (!IsShare(progress.fraction)) return Malformed("fraction must be 0 to 1");
  return {};
}

}  // namespace

template <typename Message>
std::vector<std::byte> Encode(const Message& message) {
  return EncodeFields(message);
}

template <typename Message>
Result<Message> Decode(std::span<const std::byte> bytes) {
  Message message = TRY(DecodeFields<Message>(bytes));
  TRY(CheckFields(message));
  return message;
}

Result<MessageType> MessageTypeFromNumber(uint16_t number) {
  if (number < 1 || number > static_cast<uint16_t>(MessageType::kLast)) {
    return Malformed("no message has type " + std::to_string(number));
  }
  return static_cast<MessageType>(number);
}

#define SOTER_MESSAGE(Message)                                      \
  template std::vector<std::byte> Encode<Message>(const Message&); \
  template Result<Message> Decode<Message>(std::span<const std::byte>);
SOTER_MESSAGE(Settings)
SOTER_MESSAGE(SealedModel)
SOTER_MESSAGE(BrokeredModel)
SOTER_MESSAGE(Lease)
SOTER_MESSAGE(AttestRequest)
SOTER_MESSAGE(Attested)
SOTER_MESSAGE(ModelReport)
SOTER_MESSAGE(PlanRequest)
SOTER_MESSAGE(PlanReport)
SOTER_MESSAGE(RunRequest)
SOTER_MESSAGE(RunReport)
SOTER_MESSAGE(Progress)
SOTER_MESSAGE(Failure)
#undef SOTER_MESSAGE

}  // namespace soter::control
