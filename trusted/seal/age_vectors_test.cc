// The C2SP test vectors of age: every file behaves as its "expect" line says. The files are not part of the project:
// SOTER_VECTORS names the folder that holds age/, and without it ../shared/vectors is tried.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/crypto/hash.h"
#include "trusted/seal/age.h"
#include "trusted/seal/test_streams.h"

namespace soter {
namespace {

namespace fs = std::filesystem;

struct Vector {
  std::multimap<std::string, std::string> fields;
  std::string file;

  std::string Field(const std::string& name) const {
    auto found = fields.find(name);
    return found == fields.end() ? "" : found->second;
  }
};

std::string Inflate(const std::string& compressed) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit(&stream), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string inflated;
  int status = Z_OK;
  while (status == Z_OK) {
    char block[65536];
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = sizeof(block);
    status = inflate(&stream, Z_NO_FLUSH);
    inflated.append(block, sizeof(block) - stream.avail_out);
  }
  EXPECT_EQ(status, Z_STREAM_END);
  inflateEnd(&stream);
  return inflated;
}

Vector ReadVector(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Vector vector;
  for (std::string line; std::getline(file, line) && !line.empty();) {
    size_t colon = line.find(": ");
    vector.fields.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  vector.file.assign(std::istreambuf_iterator<char>(file), {});
  if (vector.Field("compressed") == "zlib") vector.file = Inflate(vector.file);
  return vector;
}

fs::path VectorFolder() {
  const char* named = std::getenv("SOTER_VECTORS");
  return fs::path(named ? named : "../shared/vectors") / "age";
}

// Why a vector is beyond binary files for X25519 recipients; empty for one that is not.
std::string ReasonToSkip(const Vector& vector) {
  if (vector.Field("armored") == "yes") return "armor is not accepted: a sealed model is binary";
  if (vector.fields.contains("passphrase") && !vector.fields.contains("identity")) {
    return "needs a passphrase (scrypt), which sealed models do not have";
  }
  for (const auto& [name, value] : vector.fields) {
    if (name == "identity" && value.starts_with("AGE-SECRET-KEY-PQ-")) return "needs a hybrid (ML-KEM) identity";
  }
  return "";
}

struct Outcome {
  std::string verdict;
  std::string released_digest;
};

std::string OpenVerdict(ErrorCode code) {
  switch (code) {
    case ErrorCode::kAuth: return "no match";
    case ErrorCode::kIntegrity: return "HMAC failure";
    case ErrorCode::kMalformed: return "header failure";
    default: return ErrorCodeName(code);
  }
}

Outcome Decrypt(const Vector& vector) {
  std::vector<AgeIdentity> identities;
  auto [begin, end] = vector.fields.equal_range("identity");
  for (auto field = begin; field != end; ++field) identities.push_back(AgeIdentity::Parse(field->second).value());
  Result<AgeDecryptor> decryptor = AgeDecryptor::Open(SourceOf(vector.file), identities);
  if (!decryptor.ok()) return {.verdict = OpenVerdict(decryptor.error().code)};
  Sha256 released;
  std::vector<std::byte> chunk(kAgeChunkBytes);
  Result<size_t> size_bytes = decryptor->Read(chunk);
  for (; size_bytes.ok() && *size_bytes > 0; size_bytes = decryptor->Read(chunk)) {
    released.Update(std::span(chunk).first(*size_bytes));
  }
  std::string verdict = size_bytes.ok() ? "success" : "payload failure";
  EXPECT_TRUE(size_bytes.ok() || size_bytes.error().code == ErrorCode::kIntegrity);
  return {.verdict = verdict, .released_digest = EncodeHex(std::move(released).Finish())};
}

TEST(AgeVectors, EveryBinaryX25519FileBehavesAsItSays) {
  if (!fs::is_directory(VectorFolder())) {
    GTEST_SKIP() << "no age vectors in " << VectorFolder() << ": set SOTER_VECTORS to the folder that holds age/";
  }
  int tried = 0;
  std::map<std::string, std::vector<std::string>> skipped;
  for (const fs::directory_entry& entry : fs::directory_iterator(VectorFolder())) {
    SCOPED_TRACE(entry.path().filename().string());
    Vector vector = ReadVector(entry.path());
    std::string reason = ReasonToSkip(vector);
    if (!reason.empty()) {
      skipped[reason].push_back(entry.path().filename());
      continue;
    }
    ++tried;
    Outcome outcome = Decrypt(vector);
    EXPECT_EQ(outcome.verdict, vector.Field("expect"));
    EXPECT_EQ(outcome.released_digest, vector.Field("payload"));
  }
  std::printf("%d vectors tried\n", tried);
  for (const auto& [reason, names] : skipped) {
    std::printf("%zu skipped (%s):", names.size(), reason.c_str());
    for (const std::string& name : names) std::printf(" %s", name.c_str());
    std::printf("\n");
  }
  EXPECT_GE(tried, 68) << "vectors are missing";
}

}  // namespace
}  // namespace soter
