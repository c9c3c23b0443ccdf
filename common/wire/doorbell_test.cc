#include "common/wire/doorbell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <thread>

#include "common/wire/exchange.h"

namespace soter::wire {
namespace {

constexpr uint32_t kOutputs = 3;
constexpr SpinPolicy kNeverSpin{.rounds = 0};

Deadline In(int milliseconds) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds); }

class DoorbellTest : public ::testing::Test {
 protected:
  DoorbellTest() {
    int fds[2];
    CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
    enclave_end_ = std::make_unique<Connection>(UniqueFd(fds[0]), kFrameMagic);
    worker_end_ = std::make_unique<Connection>(UniqueFd(fds[1]), kFrameMagic);
  }
  EnclaveDoorbell Enclave(SpinPolicy spin = kNeverSpin) { return {&page_, enclave_end_.get(), spin}; }
  WorkerDoorbell Worker(SpinPolicy spin = kNeverSpin) { return {&page_, worker_end_.get(), spin}; }
  void SetProgress(uint32_t sequence, uint32_t ready) { page_.progress = uint64_t{sequence} << 32 | ready; }

  ControlPage page_{};
  std::unique_ptr<Connection> enclave_end_, worker_end_;
};

// ServeRuns answers until the connection ends. A shared random spin makes either side sleep at any moment.
void ServeRuns(WorkerDoorbell worker, Connection& connection, std::mt19937_64 random) {
  for (;;) {
    auto work = worker.Await();
    if (!work.ok()) return;
    auto* command = std::get_if<WorkerDoorbell::Command>(&*work);
    if (command == nullptr) {
      Result<FrameHeader> frame = connection.Receive(0, In(10'000));
      if (!frame.ok()) return;
      continue;
    }
    for (uint32_t ready = 1; ready <= kOutputs; ++ready) {
      for (uint64_t pause = random() % 200; pause > 0; --pause) std::atomic_signal_fence(std::memory_order_seq_cst);
      if (!worker.Publish(ready, In(10'000)).ok()) return;
    }
    if (!worker.Finish(kOutputs, command->segment, In(10'000)).ok()) return;
  }
}

void RoundTrips(EnclaveDoorbell& enclave, int count, std::mt19937_64& random) {
  for (int run = 0; run < count; ++run) {
    auto segment = static_cast<uint32_t>(random());
    ASSERT_TRUE(enclave.Start(segment, kOutputs, In(10'000)).ok());
    uint32_t wanted = static_cast<uint32_t>(random() % (kOutputs + 1)) + 1;
    ASSERT_GE(enclave.Await(wanted, In(10'000)).value(), wanted) << "run " << run;
    ASSERT_EQ(enclave.Await(kOutputs + 1, In(10'000)).value(), kOutputs + 1) << "run " << run;
    ASSERT_EQ(enclave.compute_ns(), segment);
  }
}

// 100,000 round trips with every mixture of polling and sleeping: a lost wake-up would end one at its deadline.
TEST_F(DoorbellTest, LosesNoWakeUp) {
  std::mt19937_64 random(7);
  struct Mixture { uint32_t enclave_rounds, worker_rounds; int count; };
  for (Mixture mixture : {Mixture{0, 0, 5'000}, Mixture{3, 3, 15'000}, Mixture{30, 30, 20'000},
                          Mixture{200, 20, 20'000}, Mixture{20, 200, 20'000}, Mixture{2000, 2000, 20'000}}) {
    EnclaveDoorbell enclave = Enclave({.rounds = mixture.enclave_rounds});
    std::thread worker(ServeRuns, Worker({.rounds = mixture.worker_rounds}), std::ref(*worker_end_), random);
    RoundTrips(enclave, mixture.count, random);
    enclave_end_->Shutdown();
    worker.join();
    if (HasFatalFailure()) return;
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    *enclave_end_ = Connection(UniqueFd(fds[0]), kFrameMagic);
    *worker_end_ = Connection(UniqueFd(fds[1]), kFrameMagic);
    page_.command = page_.progress = 0;
    page_.enclave_sleeps = page_.worker_sleeps = 0;
  }
}

TEST_F(DoorbellTest, AWorkerThatNeverAnswersIsUnavailableAtTheDeadline) {
  EnclaveDoorbell enclave = Enclave();
  ASSERT_TRUE(enclave.Start(1, kOutputs, In(1000)).ok());
  EXPECT_EQ(enclave.Await(1, In(50)).error().code, ErrorCode::kUnavailable);
}

TEST_F(DoorbellTest, AFloodOfWakeUpsDoesNotMoveTheDeadline) {
  EnclaveDoorbell enclave = Enclave();
  ASSERT_TRUE(enclave.Start(1, kOutputs, In(1000)).ok());
  std::thread flood([&] {
    while (worker_end_->Send(static_cast<uint16_t>(MessageType::kWake), 0, {}, In(1000)).ok()) continue;
  });
  EXPECT_EQ(enclave.Await(1, In(50)).error().code, ErrorCode::kUnavailable);
  enclave_end_->Shutdown();
  flood.join();
}

TEST_F(DoorbellTest, ProgressThatNoWorkerMakesIsMalformed) {
  struct Lie { uint32_t sequence, ready; };
  for (Lie lie : {Lie{2, 1}, Lie{0xffffffff, 1}, Lie{1, kOutputs + 2}, Lie{1, 0xfffffffe}}) {
    EnclaveDoorbell enclave = Enclave();
    ASSERT_TRUE(enclave.Start(1, kOutputs, In(1000)).ok());
    SetProgress(lie.sequence, lie.ready);
    EXPECT_EQ(enclave.Await(1, In(1000)).error().code, ErrorCode::kMalformed) << lie.sequence << " " << lie.ready;
  }
}

TEST_F(DoorbellTest, ProgressThatGoesBackIsMalformed) {
  EnclaveDoorbell enclave = Enclave();
  ASSERT_TRUE(enclave.Start(1, kOutputs, In(1000)).ok());
  SetProgress(1, 2);
  EXPECT_EQ(enclave.Await(2, In(1000)).value(), 2u);
  SetProgress(1, 1);
  EXPECT_EQ(enclave.Await(3, In(1000)).error().code, ErrorCode::kMalformed);
}

TEST_F(DoorbellTest, TheFrameThatSaysWhyARunFailedComesNext) {
  EnclaveDoorbell enclave = Enclave();
  ASSERT_TRUE(enclave.Start(1, kOutputs, In(1000)).ok());
  ASSERT_TRUE(SendMessage(*worker_end_, MessageType::kFailed, 1, Failed{ErrorCode::kExhausted, "why"}, In(1000)).ok());
  SetProgress(1, kReadyFailed);
  EXPECT_EQ(enclave.Await(1, In(1000)).value(), kReadyFailed);
  EXPECT_EQ(Decode<Failed>(ReceivePayload(*enclave_end_, In(1000)).value()).value().message, "why");
}

TEST_F(DoorbellTest, AnUnexpectedFrameDuringARunIsMalformed) {
  EnclaveDoorbell enclave = Enclave();
  ASSERT_TRUE(enclave.Start(1, kOutputs, In(1000)).ok());
  ASSERT_TRUE(worker_end_->Send(static_cast<uint16_t>(MessageType::kAck), 1, {}, In(1000)).ok());
  EXPECT_EQ(enclave.Await(1, In(1000)).error().code, ErrorCode::kMalformed);
}

TEST_F(DoorbellTest, CommandsOutOfOrderAreMalformed) {
  page_.command = uint64_t{5} << 32;
  EXPECT_EQ(Worker().Await().error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter::wire
