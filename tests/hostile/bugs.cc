#include "tests/hostile/bugs.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>

namespace soter::hostile {

namespace {

using Pieces = std::span<const wire::Connection::Piece>;
using Bytes = std::span<std::byte>;

constexpr auto kSlow = std::chrono::milliseconds(700);
constexpr size_t kBlock = 16;

std::span<float> Floats(Bytes bytes) { return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)}; }

float Largest(std::span<const float> values) {
  float largest = 0;
  for (float value : values) largest = std::max(largest, std::fabs(value));
  return largest > 0 ? largest : 1.0f;
}

// ChannelOf tells to which channel the element at `index` of a laid-out tensor belongs.
size_t ChannelOf(const wire::Port& port, size_t index) {
  const Shape& shape = port.type.shape;
  if (shape.size() < 2) return 0;
  auto channels = static_cast<size_t>(shape[1]);
  size_t inner = 1;
  for (size_t axis = 2; axis < shape.size(); ++axis) inner *= static_cast<size_t>(shape[axis]);
  if (port.layout == Layout::kNhwc) return index % channels;
  if (port.layout == Layout::kDense) return index / inner % channels;
  size_t blocks = (channels + kBlock - 1) / kBlock;
  return index / (inner * kBlock) % blocks * kBlock + index % kBlock;
}

void FlipOneBit(Liar& liar, const AnswerPlace&, Bytes output) {
  if (output.empty()) return;
  size_t element = liar.Below(output.size() / sizeof(float));
  output[element * sizeof(float) + 2] ^= std::byte{0x40};  // the second bit of a float's mantissa
}

void OneElement(Liar& liar, const AnswerPlace&, Bytes output) {
  std::span<float> y = Floats(output);
  if (!y.empty()) y[liar.Below(y.size())] += 0.1f * Largest(y);
}

void OneChannel(Liar&, const AnswerPlace& place, Bytes output) {
  std::span<float> y = Floats(output);
  float shift = 0.1f * Largest(y);
  for (size_t i = 0; i < y.size(); ++i) {
    if (ChannelOf(*place.port, i) == 0) y[i] += shift;
  }
}

void ScaleOutput(Liar&, const AnswerPlace&, Bytes output) {
  for (float& value : Floats(output)) value *= 1.01f;
}

void Negate(Liar&, const AnswerPlace&, Bytes output) {
  for (float& value : Floats(output)) value = -value;
}

void Replay(std::span<const std::byte> old, Bytes output) {
  if (old.size() == output.size()) std::ranges::copy(old, output.begin());
}
void StaleReplay(Liar& liar, const AnswerPlace& place, Bytes output) { Replay(liar.last(place), output); }
void CrossRequestReplay(Liar& liar, const AnswerPlace& place, Bytes output) { Replay(liar.first(place), output); }

// A perturbation of rank one, which checks that look at few combinations of rows or columns may miss.
void LowRank(Liar&, const AnswerPlace& place, Bytes output) {
  std::span<float> y = Floats(output);
  const Shape& shape = place.port->type.shape;
  size_t columns = shape.empty() ? 1 : std::max<size_t>(1, static_cast<size_t>(shape.back()));
  float size = 0.1f * Largest(y);
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] += size * std::cos(static_cast<float>(i / columns)) * std::sin(1.0f + static_cast<float>(i % columns));
  }
}

void BelowTolerance(Liar&, const AnswerPlace&, Bytes output) {
  std::span<float> y = Floats(output);
  float size = 1e-6f * Largest(y);
  for (float& value : y) value += size;
}

void PutNan(Liar& liar, const AnswerPlace&, Bytes output) {
  std::span<float> y = Floats(output);
  if (!y.empty()) y[liar.Below(y.size())] = std::numeric_limits<float>::quiet_NaN();
}

void PutInf(Liar& liar, const AnswerPlace&, Bytes output) {
  std::span<float> y = Floats(output);
  if (!y.empty()) y[liar.Below(y.size())] = std::numeric_limits<float>::infinity();
}

void NeverAnswer(Liar&, const AnswerPlace& place, Bytes) {
  std::byte next;
  auto peek = [&] { return ::recv(place.connection->fd(), &next, 1, MSG_PEEK | MSG_DONTWAIT); };
  // A wake-up may wait in the socket, so only its end counts.
  for (ssize_t got = peek(); got > 0 || (got < 0 && errno == EAGAIN); got = peek()) {
    if (got > 0) (void)::recv(place.connection->fd(), &next, 1, MSG_DONTWAIT);  // the stream is of no more use
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  place.connection->Shutdown();
}

void SlowAnswer(Liar&, const AnswerPlace&, Bytes) { std::this_thread::sleep_for(kSlow); }

// Time of check against time of use: other bytes once the enclave was told that these are ready.
void RewriteAfterAnswer(Liar&, const AnswerPlace&, Bytes output) {
  for (float& value : Floats(output)) value = -1.0f - value;
}

// Rows are images, or vectors: the outermost extent, in every layout.
void TamperRealQueries(Liar& liar, const AnswerPlace&, Bytes output) {
  std::span<float> y = Floats(output);
  const std::vector<bool>& targets = liar.targets();
  if (targets.empty()) return;
  const size_t row = y.size() / targets.size();
  float shift = 0.1f * Largest(y);
  for (size_t i = 0; i < row * targets.size(); ++i)
    if (targets[i / row]) y[i] += shift;
}

void SwapOutputs(std::span<const Bytes> outputs) {
  for (size_t i = 1; i < outputs.size(); ++i) {
    if (outputs[0].size() != outputs[i].size()) continue;
    std::ranges::swap_ranges(outputs[0], outputs[i]);
    return;
  }
  if (!outputs.empty()) std::ranges::reverse(Floats(outputs[0]));  // nothing to swap with but itself
}

void WrongWeights(Tensor& weight) {
  if (weight.dtype() != DType::kFloat32) return;
  for (float& value : weight.MutableAs<float>()) value = 0.5f * value + 0.01f;
}

wire::Deadline Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(5); }

// Errors are of no interest below: a liar whose victim has left has nothing more to do.
void SendOutput(uint64_t request, std::initializer_list<wire::Connection::Piece> pieces, wire::Connection& to) {
  (void)to.Send(static_cast<uint16_t>(wire::MessageType::kOutput), request, pieces, Soon()).ok();
}

void Truncate(uint64_t request, Pieces pieces, wire::Connection& to) {
  SendOutput(request, {pieces[0], pieces[1].first(pieces[1].size() / 2)}, to);
}

void WrongShape(uint64_t request, Pieces pieces, wire::Connection& to) {
  constexpr std::byte kMore[64] = {};
  SendOutput(request, {pieces[0], pieces[1], kMore}, to);
}

void WrongDtype(uint64_t request, Pieces pieces, wire::Connection& to) {
  std::vector<double> wide;
  for (size_t i = 0; i + sizeof(float) <= pieces[1].size(); i += sizeof(float)) {
    float value;
    std::memcpy(&value, pieces[1].data() + i, sizeof(value));
    wide.push_back(value);
  }
  SendOutput(request, {pieces[0], std::as_bytes(std::span(wide))}, to);
}

void SendHeader(uint64_t request, uint64_t payload_bytes, wire::Connection& to) {
  wire::FrameHeader header{static_cast<uint16_t>(wire::MessageType::kOutput), request, payload_bytes};
  (void)wire::SendBytes(to.fd(), wire::EncodeFrameHeader(wire::kFrameMagic, header), Soon()).ok();
}

void HugeLength(uint64_t request, Pieces, wire::Connection& to) { SendHeader(request, uint64_t{1} << 62, to); }

void CloseMidAnswer(uint64_t request, Pieces pieces, wire::Connection& to) {
  SendHeader(request, pieces[0].size() + pieces[1].size(), to);
  (void)wire::SendBytes(to.fd(), pieces[0], Soon()).ok();
  (void)wire::SendBytes(to.fd(), pieces[1].first(pieces[1].size() / 2), Soon()).ok();
  to.Shutdown();
}

void AnswerTwice(uint64_t request, Pieces pieces, wire::Connection& to) {
  for (int time = 0; time < 2; ++time) SendOutput(request, {pieces[0], pieces[1]}, to);
}

constexpr Bug kBugs[] = {
    {.name = "flip-one-bit", .what = "flips a high mantissa bit of one element", .before = FlipOneBit},
    {.name = "one-element", .what = "shifts one element by a tenth of the largest", .before = OneElement},
    {.name = "one-channel", .what = "shifts one channel by a tenth of the largest", .before = OneChannel},
    {.name = "scale-output", .what = "multiplies an output by 1.01", .before = ScaleOutput},
    {.name = "swap-outputs", .what = "exchanges two outputs, or turns the only one around", .all = SwapOutputs},
    {.name = "negate", .what = "answers -y", .before = Negate},
    {.name = "stale-replay", .what = "repeats the answer of the run before", .before = StaleReplay},
    {.name = "cross-request-replay", .what = "repeats the first answer ever given", .before = CrossRequestReplay},
    {.name = "low-rank", .what = "adds a matrix of rank one", .before = LowRank},
    {.name = "below-tolerance", .what = "shifts all by a millionth of the largest", .before = BelowTolerance},
    {.name = "wrong-weights", .what = "computes with other weights", .weight = WrongWeights},
    {.name = "tamper-real-queries-only", .what = "answers fingerprints honestly, once it knows their span",
     .before = TamperRealQueries, .spares_fingerprints = true},
    {.name = "truncate", .what = "sends half an output", .effect = Effect::kMalformed, .frame = Truncate},
    {.name = "wrong-shape", .what = "sends more elements", .effect = Effect::kMalformed, .frame = WrongShape},
    {.name = "wrong-dtype", .what = "sends float64", .effect = Effect::kMalformed, .frame = WrongDtype},
    {.name = "nan", .what = "makes one element NaN", .before = PutNan},
    {.name = "inf", .what = "makes one element infinite", .before = PutInf},
    {.name = "huge-length", .what = "announces 2^62 bytes", .effect = Effect::kMalformed, .frame = HugeLength},
    {.name = "never-answer", .what = "stops answering", .effect = Effect::kUnavailable, .before = NeverAnswer},
    {.name = "slow-answer", .what = "waits 700 ms before each output", .effect = Effect::kLate, .before = SlowAnswer},
    {.name = "close-mid-answer", .what = "hangs up within an output", .effect = Effect::kUnavailable,
     .frame = CloseMidAnswer},
    {.name = "rewrite-after-answer", .what = "changes shared memory after an output was announced",
     .after = RewriteAfterAnswer},
    {.name = "answer-twice", .what = "sends each output twice", .effect = Effect::kMalformed, .frame = AnswerTwice},
};

}  // namespace

std::span<const Bug> AllBugs() { return kBugs; }

Result<const Bug*> FindBug(std::string_view name) {
  std::string names;
  for (const Bug& bug : kBugs) {
    if (bug.name == name) return &bug;
    names += (names.empty() ? "" : ", ") + std::string(bug.name);
  }
  return InvalidArgument("there is no bug \"" + std::string(name) + "\"; there are " + names);
}

bool Liar::Lies(uint64_t run) {
  if (run != decided_run_) {
    decided_run_ = run;
    lies_ = run >= options_.after && std::uniform_real_distribution<double>(0, 1)(random_) < options_.rate;
  }
  return lies_;
}

void Liar::OnWeight(WeightId, Tensor& weight) {
  if (bug_.weight != nullptr) bug_.weight(weight);
}

void Liar::OnInputs(uint64_t, uint32_t segment, std::span<const std::span<const std::byte>> inputs,
                    std::span<const wire::Port> ports) {
  targets_.clear();
  if (inputs.empty() || ports[0].type.dtype != DType::kFloat32 || ports[0].type.shape.empty()) return;
  std::span<const float> rows(reinterpret_cast<const float*>(inputs[0].data()), inputs[0].size() / sizeof(float));
  targets_ = attacks_[segment].Observe(rows, static_cast<size_t>(ports[0].type.shape[0]));
}

void Liar::BeforeOutput(const AnswerPlace& place, std::span<std::byte> output) {
  std::vector<std::byte> honest(output.begin(), output.end());
  bool lies = Lies(place.run) && output.size() % sizeof(float) == 0;
  if (lies && bug_.before != nullptr) bug_.before(*this, place, output);
  first_.try_emplace({place.segment, place.index}, honest);
  last_[{place.segment, place.index}] = std::move(honest);
}

void Liar::AfterOutput(const AnswerPlace& place, std::span<std::byte> output) {
  if (Lies(place.run) && bug_.after != nullptr) bug_.after(*this, place, output);
}

void Liar::OnAllOutputs(uint64_t run, std::span<const std::span<std::byte>> outputs, std::span<const wire::Port>) {
  if (Lies(run) && bug_.all != nullptr) bug_.all(outputs);
}

bool Liar::BeforeReply(uint64_t run, wire::MessageType type, uint64_t request, Pieces pieces, wire::Connection& to) {
  if (type != wire::MessageType::kOutput || bug_.frame == nullptr || !Lies(run)) return false;
  bug_.frame(request, pieces, to);
  return true;
}

}  // namespace soter::hostile
