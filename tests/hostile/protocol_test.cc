// Peers that break the protocol: a worker that an enclave talks to, and an enclave that a worker serves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/writer.h"
#include "common/graph/codec.h"
#include "tests/wire/test_worker.h"

namespace soter::testing {
namespace {

using ::testing::HasSubstr;
using wire::MessageType;

// FakeWorker answers Hello honestly, then does what a test says with the next request.
class FakeWorker {
 public:
  using Answer = std::function<void(wire::Connection&, const wire::FrameHeader&)>;

  explicit FakeWorker(Answer answer) : answer_(std::move(answer)), thread_([this] { Serve(); }) {}
  ~FakeWorker() { thread_.join(); }
  RemoteAcceleratorOptions client() const {
    return {.address = wire::AddressString(listener_.address()), .timeout = std::chrono::milliseconds(300)};
  }

 private:
  void Serve() {
    wire::Connection connection(listener_.Accept(In(5000)).value(), wire::kFrameMagic);
    for (;;) {
      Result<wire::FrameHeader> header = connection.Receive(1 << 20, In(5000));
      if (!header.ok() || !wire::DiscardPayload(connection, In(5000)).ok()) return;
      if (header->type == static_cast<uint16_t>(MessageType::kHello)) {
        wire::HelloReply reply{.backend = "fake\x1b[2J"};
        if (!wire::SendMessage(connection, MessageType::kHelloReply, header->request, reply, In(5000)).ok()) return;
      } else {
        answer_(connection, *header);
      }
    }
  }

  TestFolder folder_;
  wire::Listener listener_ = wire::Listener::Listen({.path = folder_.path() + "/socket"}, wire::Reach::kThisMachine).value();
  Answer answer_;
  std::thread thread_;
};

void Raw(wire::Connection& connection, uint32_t magic, const wire::FrameHeader& header) {
  (void)wire::SendBytes(connection.fd(), wire::EncodeFrameHeader(magic, header), In(1000)).ok();
}

// LoadFrom asks a fake worker to do something and returns what the enclave makes of its answer.
Error LoadFrom(FakeWorker::Answer answer) {
  FakeWorker worker(std::move(answer));
  auto accelerator = RemoteAccelerator::Connect(worker.client()).value();
  Status loaded = accelerator->LoadWeight(kWeight, Ramp({kWidth, kWidth}).view());
  CHECK(!loaded.ok(), "a hostile answer was taken for an Ack");
  return loaded.error();
}

constexpr auto kAck = static_cast<uint16_t>(MessageType::kAck);

TEST(HostileFrames, GarbageIsMalformed) {
  Error error = LoadFrom([](auto& to, auto&) {
    (void)wire::SendBytes(to.fd(), std::vector<std::byte>(100, std::byte{0x5a}), In(1000)).ok();
  });
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(HostileFrames, AnotherMagicIsMalformed) {
  Error error = LoadFrom([](auto& to, auto& asked) { Raw(to, 0x12345678, {kAck, asked.request, 0}); });
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(HostileFrames, AHugeLengthIsMalformed) {
  Error error = LoadFrom([](auto& to, auto& asked) { Raw(to, wire::kFrameMagic, {kAck, asked.request, ~uint64_t{0}}); });
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(HostileFrames, AnUnknownTypeIsMalformed) {
  Error error = LoadFrom([](auto& to, auto& asked) { Raw(to, wire::kFrameMagic, {99, asked.request, 0}); });
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(HostileFrames, AnAnswerToAnotherRequestIsMalformed) {
  Error error = LoadFrom([](auto& to, auto& asked) { Raw(to, wire::kFrameMagic, {kAck, asked.request + 1, 0}); });
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(HostileFrames, AnAnswerOfAnotherKindIsMalformed) {
  Error error = LoadFrom([](auto& to, auto& asked) { Raw(to, wire::kFrameMagic, {9, asked.request, 0}); });
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(HostileFrames, AFailureThatCannotBeReadIsMalformed) {
  Error error = LoadFrom([](auto& to, auto& asked) { Raw(to, wire::kFrameMagic, {11, asked.request, 0}); });
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(HostileFrames, ATruncatedHeaderIsUnavailable) {
  Error error = LoadFrom([](auto& to, auto&) {
    (void)wire::SendBytes(to.fd(), std::vector<std::byte>(10), In(1000)).ok();
    to.Shutdown();
  });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
}

TEST(HostileFrames, SilenceIsUnavailableAndSaysWhereAndHowLong) {
  Error error = LoadFrom([](auto&, auto&) {});
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("worker at unix:"));
  EXPECT_THAT(error.message, HasSubstr("0.3 s"));
}

TEST(HostileFrames, AFloodOfWakeUpsIsUnavailableAtTheDeadline) {
  Error error = LoadFrom([](auto& to, auto&) {
    while (to.Send(static_cast<uint16_t>(MessageType::kWake), 0, {}, In(1000)).ok()) continue;
  });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
}

TEST(HostileFrames, AWorkersWordsCannotChooseTheErrorOrTouchTheTerminal) {
  Error error = LoadFrom([](auto& to, auto& asked) {
    wire::Failed failed{ErrorCode::kAuth, "\x1b[31mkey refused\n"};
    (void)wire::SendMessage(to, MessageType::kFailed, asked.request, failed, In(1000)).ok();
  });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("?[31mkey refused?"));
}

// RawClient speaks to an honest worker without the enclave's manners.
class HostileEnclave : public ::testing::Test {
 protected:
  HostileEnclave() : connection_(Connect()) { Greet(connection_); }

  wire::Connection Connect() {
    auto address = wire::ParseAddress(worker_.address()).value();
    return wire::Connection(wire::Connect(address, In(1000)).value(), wire::kFrameMagic);
  }
  void Greet(wire::Connection& to) {
    ASSERT_TRUE(wire::SendMessage(to, MessageType::kHello, 1, wire::Hello{}, In(1000)).ok());
    ASSERT_EQ(Reply(to), MessageType::kHelloReply);
  }
  MessageType Reply(wire::Connection& from) {
    wire::FrameHeader header = from.Receive(1 << 20, In(5000)).value();
    reply_ = wire::ReceivePayload(from, In(5000)).value();
    return static_cast<MessageType>(header.type);
  }
  template <typename Message>
  MessageType Ask(MessageType type, const Message& message) {
    CHECK(wire::SendMessage(connection_, type, 2, message, In(1000)).ok(), "the worker takes requests");
    return Reply(connection_);
  }
  std::string Refusal() { return wire::Decode<wire::Failed>(reply_).value().message; }
  // StillServes: whatever happened, another client is served.
  void StillServes() {
    wire::Connection other = Connect();
    Greet(other);
  }
  static wire::LoadSegment Request() {
    Segment segment = LinearRelu();
    Writer graph;
    auto write = [&](std::span<const std::byte> bytes) -> Status { graph.WriteBytes(bytes); return {}; };
    CHECK(EncodeGraph(segment.graph, write).ok(), "encode");
    wire::Port port{.type = segment.input_types[0], .offset = 4096};
    wire::Port y = port, z = port;
    y.offset = 8192, z.offset = 12288;
    return {.segment = kSegment, .inputs = {port}, .outputs = {y, z}, .graph = std::move(graph).Take()};
  }
  void UploadWeight() {
    Tensor weight = Ramp({kWidth, kWidth});
    auto head = wire::EncodeHead(wire::LoadWeight{kWeight, weight.type()});
    ASSERT_TRUE(connection_.Send(4, 2, {head, weight.bytes()}, In(1000)).ok());
    ASSERT_EQ(Reply(connection_), MessageType::kAck);
  }

  TestWorker worker_;
  wire::Connection connection_;
  std::vector<std::byte> reply_;
};

TEST_F(HostileEnclave, GarbageEndsItsOwnConnectionOnly) {
  ASSERT_TRUE(wire::SendBytes(connection_.fd(), std::vector<std::byte>(64, std::byte{1}), In(1000)).ok());
  EXPECT_EQ(connection_.Receive(100, In(5000)).error().code, ErrorCode::kUnavailable);
  StillServes();
}

TEST_F(HostileEnclave, EverythingBeforeHelloIsRefused) {
  wire::Connection fresh = Connect();
  ASSERT_TRUE(wire::SendMessage(fresh, MessageType::kDrop, 1, wire::Drop{}, In(1000)).ok());
  EXPECT_EQ(Reply(fresh), MessageType::kFailed);
  EXPECT_THAT(Refusal(), HasSubstr("first message must be Hello"));
}

TEST_F(HostileEnclave, ASecondHelloIsRefused) { EXPECT_EQ(Ask(MessageType::kHello, wire::Hello{}), MessageType::kFailed); }

TEST_F(HostileEnclave, AWeightWithOtherDataThanItsTypeIsRefused) {
  auto head = wire::EncodeHead(wire::LoadWeight{kWeight, {DType::kFloat32, {1 << 20, 1 << 20}}});
  ASSERT_TRUE(connection_.Send(4, 2, {head, std::vector<std::byte>(100)}, In(1000)).ok());
  EXPECT_EQ(Reply(connection_), MessageType::kFailed);
  EXPECT_THAT(Refusal(), HasSubstr("size of its type"));
}

TEST_F(HostileEnclave, AnIdThatIsTakenIsRefused) {
  UploadWeight();
  Tensor weight = Ramp({kWidth, kWidth});
  auto head = wire::EncodeHead(wire::LoadWeight{kWeight, weight.type()});
  ASSERT_TRUE(connection_.Send(4, 2, {head, weight.bytes()}, In(1000)).ok());
  EXPECT_EQ(Reply(connection_), MessageType::kFailed);
}

TEST_F(HostileEnclave, ARunOfAnUnknownSegmentIsRefused) {
  auto head = wire::EncodeHead(wire::Run{99});
  ASSERT_TRUE(connection_.Send(7, 2, {head}, In(1000)).ok());
  EXPECT_EQ(Reply(connection_), MessageType::kFailed);
}

TEST_F(HostileEnclave, ARunWithTooFewBytesIsRefused) {
  UploadWeight();
  ASSERT_EQ(Ask(MessageType::kLoadSegment, Request()), MessageType::kAck);
  auto head = wire::EncodeHead(wire::Run{kSegment});
  ASSERT_TRUE(connection_.Send(7, 2, {head, std::vector<std::byte>(8)}, In(1000)).ok());
  EXPECT_EQ(Reply(connection_), MessageType::kFailed);
}

TEST_F(HostileEnclave, PortsThatDisagreeWithTheGraphAreRefused) {
  UploadWeight();
  wire::LoadSegment missing = Request(), retyped = Request(), planes = Request();
  missing.outputs.pop_back();
  retyped.inputs[0].type.shape = {kRows, kWidth + 1};
  planes.inputs[0].planes = 2;
  for (const auto& request : {missing, retyped, planes}) {
    EXPECT_EQ(Ask(MessageType::kLoadSegment, request), MessageType::kFailed);
  }
  EXPECT_EQ(Ask(MessageType::kLoadSegment, Request()), MessageType::kAck);
}

TEST_F(HostileEnclave, AGraphThatIsNoneIsRefused) {
  wire::LoadSegment request = Request();
  request.graph.resize(request.graph.size() / 2);
  EXPECT_EQ(Ask(MessageType::kLoadSegment, request), MessageType::kFailed);
}

TEST_F(HostileEnclave, PortsOutsideTheRegionOrOverEachOtherAreRefused) {
  UploadWeight();
  wire::SharedRegion region = wire::SharedRegion::Create(wire::kSharedDirectory, 16384).value();
  ASSERT_EQ(Ask(MessageType::kAttach, wire::Attach{region.path(), 16384}), MessageType::kAck);
  for (uint64_t offset : {uint64_t{0}, uint64_t{4032}, uint64_t{16384}, uint64_t{16384 - 64}, ~uint64_t{63}}) {
    wire::LoadSegment request = Request();
    request.outputs[1].offset = offset;
    bool inside = offset == 16384 - 64;  // 48 bytes fit there
    EXPECT_EQ(Ask(MessageType::kLoadSegment, request), inside ? MessageType::kAck : MessageType::kFailed) << offset;
    Ask(MessageType::kDrop, wire::Drop{});
  }
  wire::LoadSegment overlapping = Request();
  overlapping.outputs[0].offset = overlapping.inputs[0].offset;
  EXPECT_EQ(Ask(MessageType::kLoadSegment, overlapping), MessageType::kFailed);
  EXPECT_THAT(Refusal(), HasSubstr("overlaps"));
}

TEST_F(HostileEnclave, ARegionThatIsTooSmallOrElsewhereIsRefused) {
  wire::SharedRegion region = wire::SharedRegion::Create(wire::kSharedDirectory, 8192).value();
  EXPECT_EQ(Ask(MessageType::kAttach, wire::Attach{region.path(), 64}), MessageType::kFailed);
  EXPECT_EQ(Ask(MessageType::kAttach, wire::Attach{region.path(), 1 << 20}), MessageType::kFailed);
  EXPECT_EQ(Ask(MessageType::kAttach, wire::Attach{"/etc/passwd", 4096}), MessageType::kFailed);
}

TEST_F(HostileEnclave, ACommandForNoSegmentFailsAndOneOutOfOrderEndsTheConnection) {
  wire::SharedRegion region = wire::SharedRegion::Create(wire::kSharedDirectory, 8192).value();
  ASSERT_EQ(Ask(MessageType::kAttach, wire::Attach{region.path(), 8192}), MessageType::kAck);
  auto* page = reinterpret_cast<wire::ControlPage*>(region.bytes().data());
  wire::EnclaveDoorbell doorbell(page, &connection_, {});
  ASSERT_TRUE(doorbell.Start(1234, 1, In(1000)).ok());
  EXPECT_EQ(doorbell.Await(1, In(5000)).value(), wire::kReadyFailed);
  ASSERT_TRUE(wire::DiscardPayload(connection_, In(1000)).ok());
  page->command = uint64_t{77} << 32;
  (void)connection_.Send(12, 0, {}, In(1000)).ok();  // wake it
  Result<wire::FrameHeader> next = connection_.Receive(1 << 20, In(5000));
  while (next.ok() && next->type == 12) next = connection_.Receive(1 << 20, In(5000));
  EXPECT_EQ(next.error().code, ErrorCode::kUnavailable);
  StillServes();
}

TEST_F(HostileEnclave, AMessageThatOnlyAWorkerSendsIsRefused) {
  EXPECT_EQ(Ask(MessageType::kDone, wire::Done{}), MessageType::kFailed);
}

TEST(WorkerOnce, EndsWithItsClient) {
  TestWorker worker({.once = true});
  { auto accelerator = RemoteAccelerator::Connect(worker.client()).value(); }
  EXPECT_TRUE(worker.Join().ok());
}

}  // namespace
}  // namespace soter::testing
