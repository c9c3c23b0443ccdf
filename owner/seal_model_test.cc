// Sealing, resealing and inspecting files: what is left on disk, and which file an error names.
#include "owner/seal_model.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/base/bytes.h"
#include "trusted/seal/test_peers.h"

namespace soter {
namespace {

class SealModelFiles : public testing::Test {
 protected:
  SealModelFiles() {
    recipient_ = MakeIdentityFile(folder_.Path("enclave.key")).value();
    MakeSigningKeyFiles(folder_.Path("owner.sec"), folder_.Path("owner.pub")).value();
  }

  SealFileRequest SealRequestFor(const std::string& name) {
    return {.output_path = folder_.Path(name),
            .recipients = {recipient_},
            .signing_key_path = folder_.Path("owner.sec"),
            .policy = {.name = "digits"}};
  }
  OpenFileRequest OpenRequestFor(const std::string& name) {
    return {.path = folder_.Path(name),
            .identity_path = folder_.Path("enclave.key"),
            .signer_path = folder_.Path("owner.pub")};
  }
  size_t FileCount() {
    auto entries = std::filesystem::directory_iterator(folder_.Path(""));
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

  TemporaryFolder folder_;
  std::string recipient_;
  ContentWriter graph_ = [](const ByteSink& sink) { return sink(AsBytes("graph")); };
};

TEST_F(SealModelFiles, ASealedFileOpens) {
  ASSERT_TRUE(SealModelFile(SealRequestFor("m.soter"), graph_).ok());
  EXPECT_EQ(AsText(OpenSealedModelFile(OpenRequestFor("m.soter")).value().graph()), "graph");
  EXPECT_EQ(FileCount(), 5u);  // three keys, the model, its signature
}

TEST_F(SealModelFiles, KeysAreForTheirOwnerAloneAndNeverReplaced) {
  for (const char* name : {"enclave.key", "owner.sec"}) {
    struct stat status = {};
    ASSERT_EQ(::stat(folder_.Path(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
  std::string before = folder_.Read("enclave.key");
  EXPECT_EQ(MakeIdentityFile(folder_.Path("enclave.key")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MakeSigningKeyFiles(folder_.Path("owner.sec"), folder_.Path("new.pub")).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(folder_.Read("enclave.key"), before);
  EXPECT_EQ(FileCount(), 3u);
}

TEST_F(SealModelFiles, AFailureLeavesNothingAndKeepsWhatWasThere) {
  ASSERT_TRUE(SealModelFile(SealRequestFor("m.soter"), graph_).ok());
  std::string before = folder_.Read("m.soter");
  ContentWriter broken = [](const ByteSink& sink) -> Status {
    TRY(sink(AsBytes("half a graph")));
    return Unsupported("node 7");
  };
  EXPECT_EQ(SealModelFile(SealRequestFor("m.soter"), broken).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(folder_.Read("m.soter"), before);
  EXPECT_EQ(FileCount(), 5u);
}

TEST_F(SealModelFiles, ErrorsNameTheFile) {
  auto message = [&](const SealFileRequest& request) { return SealModelFile(request, graph_).error().message; };
  SealFileRequest request = SealRequestFor("m.soter");
  request.recipients = {"age1nonsense"};
  EXPECT_NE(message(request).find("age1nonsense"), std::string::npos);
  request = SealRequestFor("m.soter");
  request.signing_key_path = folder_.Path("owner.pub");
  EXPECT_NE(message(request).find("owner.pub"), std::string::npos);
  request.signing_key_path = folder_.Path("absent");
  EXPECT_NE(message(request).find("absent: No such file"), std::string::npos);
  request = SealRequestFor("no/such/folder/m.soter");
  EXPECT_NE(message(request).find("no/such/folder"), std::string::npos);
}

TEST_F(SealModelFiles, OpeningNamesWhatIsMissingOrWrong) {
  ASSERT_TRUE(SealModelFile(SealRequestFor("m.soter"), graph_).ok());
  EXPECT_EQ(OpenSealedModelFile(OpenRequestFor("absent")).error().code, ErrorCode::kUnavailable);
  OpenFileRequest request = OpenRequestFor("m.soter");
  request.identity_path = folder_.Path("owner.sec");
  EXPECT_EQ(OpenSealedModelFile(request).error().code, ErrorCode::kMalformed);
  request = OpenRequestFor("m.soter");
  request.path = folder_.Path("");
  EXPECT_NE(OpenSealedModelFile(request).error().message.find("not a regular file"), std::string::npos);
  folder_.Write("m.soter.minisig", std::string(kMaxSignatureBytes + 1, 'x'));
  EXPECT_NE(OpenSealedModelFile(OpenRequestFor("m.soter")).error().message.find("larger than"), std::string::npos);
}

TEST_F(SealModelFiles, ResealingInPlaceRotatesTheKey) {
  ASSERT_TRUE(SealModelFile(SealRequestFor("m.soter"), graph_).ok());
  std::string new_recipient = MakeIdentityFile(folder_.Path("new.key")).value();
  ResealFileRequest request = {.open = OpenRequestFor("m.soter"),
                               .output_path = folder_.Path("m.soter"),
                               .recipients = {new_recipient},
                               .signing_key_path = folder_.Path("owner.sec")};
  ASSERT_TRUE(ResealModelFile(request).ok());
  EXPECT_EQ(OpenSealedModelFile(OpenRequestFor("m.soter")).error().code, ErrorCode::kAuth);
  OpenFileRequest open = OpenRequestFor("m.soter");
  open.identity_path = folder_.Path("new.key");
  EXPECT_EQ(AsText(OpenSealedModelFile(open).value().graph()), "graph");
}

TEST_F(SealModelFiles, ResealingAChangedFileLeavesItAlone) {
  ASSERT_TRUE(SealModelFile(SealRequestFor("m.soter"), graph_).ok());
  std::string changed = folder_.Read("m.soter");
  changed.back() = static_cast<char>(changed.back() ^ 1);
  folder_.Write("m.soter", changed);
  ResealFileRequest request = {.open = OpenRequestFor("m.soter"),
                               .output_path = folder_.Path("m.soter"),
                               .recipients = {recipient_},
                               .signing_key_path = folder_.Path("owner.sec")};
  EXPECT_EQ(ResealModelFile(request).error().code, ErrorCode::kAuth);
  EXPECT_EQ(folder_.Read("m.soter"), changed);
  EXPECT_EQ(FileCount(), 5u);
}

TEST_F(SealModelFiles, InspectingVerifiesWhenTheSignerIsGiven) {
  ASSERT_TRUE(SealModelFile(SealRequestFor("m.soter"), graph_).ok());
  EXPECT_FALSE(InspectSealedModelFile(folder_.Path("m.soter"), "").value().is_verified);
  EXPECT_TRUE(InspectSealedModelFile(folder_.Path("m.soter"), folder_.Path("owner.pub")).value().is_verified);
  MakeSigningKeyFiles(folder_.Path("other.sec"), folder_.Path("other.pub")).value();
  Result<SealedModelInfo> info = InspectSealedModelFile(folder_.Path("m.soter"), folder_.Path("other.pub"));
  EXPECT_EQ(info.error().code, ErrorCode::kAuth);
}

}  // namespace
}  // namespace soter
