#include "trusted/engine/open_model.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "common/wire/control_codec.h"
#include "trusted/engine/operator_service.h"

namespace soter {
namespace {

using control::Scheme;

TEST(OpenModel, PlaintextHidesNothingOutsideTheDevelopmentTee) {
  for (Scheme scheme : {Scheme::kSoter, Scheme::kMlcapsule, Scheme::kAegisdnn, Scheme::kEnnclave}) {
    EXPECT_EQ(RequirePlaintextAllowed(scheme, "sgx").error().code, ErrorCode::kAuth);
    EXPECT_TRUE(RequirePlaintextAllowed(scheme, "dev").ok());
  }
  EXPECT_TRUE(RequirePlaintextAllowed(Scheme::kInsecure, "sgx").ok());
  EXPECT_TRUE(RequirePlaintextAllowed(Scheme::kVerified, "sgx").ok());
}

// A platform by name only: the service asks it for nothing else here.
class NamedPlatform final : public Platform {
 public:
  explicit NamedPlatform(PlatformKind kind) : kind_(kind) {}
  PlatformKind kind() const override { return kind_; }
  std::string Describe() const override { return std::string(PlatformName(kind_)); }
  Result<PlatformReport> Produce(const ReportData&) override { return Unavailable("no report"); }
  Result<std::vector<std::byte>> Measurement() override { return Unavailable("no measurement"); }
  Result<Secret<std::array<std::byte, 32>>> SealingKey(std::string_view) override { return Unsupported("no key"); }

 private:
  PlatformKind kind_;
};

// Returns what an enclave on such a platform answers to a sealed model whose keys are nonsense.
control::Failure AnswerToKeys(PlatformKind kind) {
  NamedPlatform platform(kind);
  int sockets[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  wire::Connection operator_side(UniqueFd(sockets[0]), control::kFrameMagic);
  std::thread enclave([&] {
    wire::Connection connection(UniqueFd(sockets[1]), control::kFrameMagic);
    EXPECT_FALSE(ServeOperator(connection, {.platform = platform, .link_key = std::nullopt}).ok());
  });
  auto send = [&](control::MessageType type, std::vector<std::byte> payload) {
    EXPECT_TRUE(operator_side.Send(static_cast<uint16_t>(type), 0, {payload}, wire::kNoDeadline).ok());
  };
  send(control::MessageType::kConfigure, control::Encode(control::Settings{}));
  send(control::MessageType::kSealed, control::Encode(control::SealedModel{.identity = "no key"}));
  send(control::MessageType::kModel, {});
  wire::FrameHeader header = operator_side.Receive(control::kMaxMessageBytes, wire::kNoDeadline).value();
  EXPECT_EQ(header.type, static_cast<uint16_t>(control::MessageType::kFailed));
  std::vector<std::byte> payload(header.payload_bytes);
  EXPECT_TRUE(operator_side.Read(payload, wire::kNoDeadline).ok());
  enclave.join();
  return control::Decode<control::Failure>(payload).value();
}

TEST(OpenModel, OnlyTheDevelopmentTeeTakesAKeyFromTheOperator) {
  EXPECT_EQ(AnswerToKeys(PlatformKind::kSgx).code, ErrorCode::kAuth);
  EXPECT_EQ(AnswerToKeys(PlatformKind::kDev).code, ErrorCode::kMalformed);  // it looked at the key
}

TEST(OpenModel, ASealedModelIsPlacedByItsScheme) {
  control::Settings settings;
  EXPECT_TRUE(RequireOwnPlacement(settings).ok());
  settings.placement.emplace();
  EXPECT_EQ(RequireOwnPlacement(settings).error().code, ErrorCode::kAuth);
}

}  // namespace
}  // namespace soter
