#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <numeric>
#include <thread>

#include "common/wire/exchange.h"
#include "common/wire/shared_region.h"

namespace soter::wire {
namespace {

using ::testing::HasSubstr;

Deadline In(int milliseconds) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds); }

std::pair<UniqueFd, UniqueFd> SocketPair() {
  int fds[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

class ConnectionTest : public ::testing::Test {
 protected:
  explicit ConnectionTest(std::pair<UniqueFd, UniqueFd> fds = SocketPair())
      : near_(std::move(fds.first), kFrameMagic), far_(std::move(fds.second), kFrameMagic) {}
  // SendRaw sends a header whose fields a test chose.
  void SendRaw(uint32_t magic, const FrameHeader& header) {
    CHECK(SendBytes(far_.fd(), EncodeFrameHeader(magic, header), In(1000)).ok(), "send");
  }
  Connection near_, far_;
};

TEST(Address, EachFormIsReadAndWritten) {
  for (const char* text : {"unix:/tmp/x", "127.0.0.1:80", "[::1]:65535", "10.0.0.1:0"}) {
    EXPECT_EQ(AddressString(ParseAddress(text).value()), text);
  }
  EXPECT_EQ(AddressString(ParseAddress("localhost:7").value()), "127.0.0.1:7");
}

TEST(Address, OtherFormsAreInvalidAndSayWhatIsAccepted) {
  std::string long_path = "unix:/" + std::string(200, 'x');
  for (std::string text : {std::string("unix:"), long_path, std::string("host"), std::string("::1:80"),
                           std::string("1.2.3.4:65536"), std::string("1.2.3.4:"), std::string("example.org:80"),
                           std::string("[1.2.3.4]:1"), std::string(":80"), std::string("1.2.3.4:8x")}) {
    Result<Address> address = ParseAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(address.error().message, HasSubstr("HOST:PORT"));
  }
}

TEST(Listener, RefusesToBeReachedFromElsewhereUnlessTold) {
  Address everywhere = ParseAddress("0.0.0.0:0").value();
  EXPECT_EQ(Listener::Listen(everywhere, Reach::kThisMachine).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(Listener::Listen(everywhere, Reach::kAnywhere).ok());
}

TEST(Listener, ASocketFileIsForItsOwnerAndGoesWithIt) {
  std::string path = ::testing::TempDir() + "soter-listener-" + std::to_string(::getpid());
  {
    Listener listener = Listener::Listen({.path = path}, Reach::kThisMachine).value();
    struct stat info;
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(Listener::Listen({.path = path}, Reach::kThisMachine).error().code, ErrorCode::kUnavailable);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Listener, AFileThatADeadProcessLeftIsReplaced) {
  std::string path = ::testing::TempDir() + "soter-stale-" + std::to_string(::getpid());
  {
    UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{.sun_family = AF_UNIX};
    std::snprintf(name.sun_path, sizeof(name.sun_path), "%s", path.c_str());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(Listener::Listen({.path = path}, Reach::kThisMachine).ok());
}

TEST_F(ConnectionTest, ManyPiecesArriveAsOnePayloadReadInParts) {
  std::vector<std::byte> sent(3 << 20);
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = std::byte(i * 7 % 251);
  std::vector<Connection::Piece> pieces;
  for (size_t i = 0; i < 40; ++i) pieces.push_back(std::span(sent).subspan(i * 50'000, 50'000));
  std::thread sender([&] { EXPECT_TRUE(far_.Send(5, 77, pieces, In(5000)).ok()); });
  FrameHeader header = near_.Receive(10 << 20, In(5000)).value();
  EXPECT_EQ(header.type, 5);
  EXPECT_EQ(header.request, 77u);
  ASSERT_EQ(header.payload_bytes, 2'000'000u);
  std::vector<std::byte> received(2'000'000);
  EXPECT_TRUE(near_.Read(std::span(received).first(999'999), In(5000)).ok());
  EXPECT_TRUE(near_.Read(std::span(received).subspan(999'999), In(5000)).ok());
  sender.join();
  EXPECT_TRUE(std::equal(received.begin(), received.end(), sent.begin()));
}

TEST_F(ConnectionTest, AnotherMagicIsMalformed) {
  SendRaw(0x4c544353, {.type = 1});
  EXPECT_EQ(near_.Receive(100, In(1000)).error().code, ErrorCode::kMalformed);
}

TEST_F(ConnectionTest, AnotherVersionIsMalformed) {
  auto bytes = EncodeFrameHeader(kFrameMagic, {.type = 1});
  bytes[4] = std::byte{2};
  ASSERT_TRUE(SendBytes(far_.fd(), bytes, In(1000)).ok());
  EXPECT_THAT(near_.Receive(100, In(1000)).error().message, HasSubstr("version 2"));
}

TEST_F(ConnectionTest, APayloadOverTheLimitIsMalformedBeforeRoomIsMade) {
  SendRaw(kFrameMagic, {.type = 1, .payload_bytes = uint64_t{1} << 62});
  EXPECT_EQ(near_.Receive(uint64_t{1} << 30, In(1000)).error().code, ErrorCode::kMalformed);
}

TEST_F(ConnectionTest, ReadingPastThePayloadIsMalformed) {
  ASSERT_TRUE(far_.Send(1, 0, {}, In(1000)).ok());
  ASSERT_TRUE(near_.Receive(100, In(1000)).ok());
  std::byte one;
  EXPECT_EQ(near_.Read({&one, 1}, In(1000)).error().code, ErrorCode::kMalformed);
}

TEST_F(ConnectionTest, APeerThatClosesMidPayloadIsUnavailable) {
  SendRaw(kFrameMagic, {.type = 1, .payload_bytes = 1 << 20});
  far_.Shutdown();
  ASSERT_TRUE(near_.Receive(1 << 20, In(1000)).ok());
  EXPECT_EQ(ReceivePayload(near_, In(1000)).error().code, ErrorCode::kUnavailable);
}

TEST_F(ConnectionTest, APeerThatStallsIsUnavailableAtTheDeadline) {
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(near_.Receive(100, In(50)).error().code, ErrorCode::kUnavailable);
  auto waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited, std::chrono::milliseconds(50));
  EXPECT_LT(waited, std::chrono::seconds(5));
}

TEST_F(ConnectionTest, SendingToAPeerThatTakesNothingEndsAtTheDeadline) {
  std::vector<std::byte> much(32 << 20);
  EXPECT_EQ(near_.Send(1, 0, {much}, In(50)).error().code, ErrorCode::kUnavailable);
}

TEST_F(ConnectionTest, SendingToAPeerThatIsGoneRaisesNoSignal) {
  far_.Shutdown();
  EXPECT_EQ(near_.Send(1, 0, {}, In(1000)).error().code, ErrorCode::kUnavailable);
}

TEST_F(ConnectionTest, AHeadThatIsTooLongIsMalformed) {
  uint32_t size = kMaxHeadBytes + 1;
  std::vector<std::byte> rest(size);
  ASSERT_TRUE(far_.Send(1, 0, {std::as_bytes(std::span(&size, 1)), rest}, In(1000)).ok());
  ASSERT_TRUE(near_.Receive(1 << 20, In(1000)).ok());
  EXPECT_EQ(ReceiveHead<wire::Run>(near_, In(1000)).error().code, ErrorCode::kMalformed);
}

TEST(SharedRegion, BothSidesSeeTheSameMemory) {
  std::string folder = ::testing::TempDir();
  if (folder.ends_with('/')) folder.pop_back();
  SharedRegion made = SharedRegion::Create(folder, 10'000).value();
  SharedRegion attached = SharedRegion::Attach(folder, made.path(), 10'000).value();
  made.bytes()[9'999] = std::byte{42};
  EXPECT_EQ(attached.bytes()[9'999], std::byte{42});
  std::string path = made.path();
  made.Unlink();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(attached.bytes()[9'999], std::byte{42});
}

TEST(SharedRegion, AFileThatNobodyAttachedGoesWithItsOwner) {
  std::string path;
  {
    SharedRegion made = SharedRegion::Create(kSharedDirectory, 4096).value();
    path = made.path();
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SharedRegion, TooLittleMemoryIsExhaustedAndSaysHowMuchIsNeededAndLeavesNothing) {
  auto names = [] {
    return std::distance(std::filesystem::directory_iterator(kSharedDirectory), std::filesystem::directory_iterator());
  };
  auto before = names();
  Result<SharedRegion> made = SharedRegion::Create(kSharedDirectory, uint64_t{1} << 46);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(made.error().message, HasSubstr("free 70368745 MB of /dev/shm"));
  EXPECT_EQ(names(), before);
}

TEST(SharedRegion, OnlyNamesOfItsOwnKindAreMapped) {
  for (const char* path : {"/etc/passwd", "/dev/shm/other", "/dev/shm/soter-/../../etc/passwd", "/dev/shm/../soter-1"}) {
    EXPECT_EQ(SharedRegion::Attach(kSharedDirectory, path, 4096).error().code, ErrorCode::kMalformed) << path;
  }
  EXPECT_EQ(SharedRegion::Attach(kSharedDirectory, "/dev/shm/soter-none", 4096).error().code, ErrorCode::kUnavailable);
}

TEST(SharedRegion, AFileSmallerThanItSaysIsUnavailable) {
  SharedRegion made = SharedRegion::Create(kSharedDirectory, 4096).value();
  EXPECT_EQ(SharedRegion::Attach(kSharedDirectory, made.path(), 8192).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace soter::wire
