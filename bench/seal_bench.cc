// How fast a sealed model is opened, and the primitives that it takes, beside libsodium's where both have them.
//   build/seal_bench --benchmark_filter=Open

#include <benchmark/benchmark.h>
#include <sodium.h>

#include "common/base/bytes.h"
#include "common/base/file.h"
#include "trusted/crypto/aead.h"
#include "trusted/crypto/hash.h"
#include "trusted/seal/sealed_model.h"
#include "trusted/seal/test_peers.h"

namespace soter {
namespace {

constexpr size_t kChunkBytes = 64 * 1024;

template <typename Cipher>
void BM_AeadOpen(benchmark::State& state) {
  Cipher cipher{AeadKey()};
  std::vector<std::byte> plaintext(kChunkBytes), sealed(kChunkBytes + kAeadTagBytes);
  cipher.Seal({}, {}, plaintext, sealed);
  for (auto _ : state) CHECK(cipher.Open({}, {}, sealed, plaintext).ok(), "the chunk was not opened");
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kChunkBytes));
}
BENCHMARK(BM_AeadOpen<ChaCha20Poly1305>);
BENCHMARK(BM_AeadOpen<Aes256Gcm>);

void BM_SodiumChaCha20Poly1305(benchmark::State& state) {
  std::vector<unsigned char> plaintext(kChunkBytes), sealed(kChunkBytes + kAeadTagBytes);
  const unsigned char key[32] = {}, nonce[12] = {};
  CHECK(sodium_init() >= 0, "libsodium cannot start");
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plaintext.data(), plaintext.size(), nullptr, 0,
                                            nullptr, nonce, key);
  for (auto _ : state) {
    int opened = crypto_aead_chacha20poly1305_ietf_decrypt(plaintext.data(), nullptr, nullptr, sealed.data(),
                                                           sealed.size(), nullptr, 0, nonce, key);
    CHECK(opened == 0, "the chunk was not opened");
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kChunkBytes));
}
BENCHMARK(BM_SodiumChaCha20Poly1305);

template <typename H>
void BM_Hash(benchmark::State& state) {
  std::vector<std::byte> bytes(kChunkBytes);
  H hasher;
  for (auto _ : state) hasher.Update(bytes);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kChunkBytes));
}
BENCHMARK(BM_Hash<Sha256>);
BENCHMARK(BM_Hash<Blake2b512>);

void BM_SodiumBlake2b(benchmark::State& state) {
  std::vector<unsigned char> bytes(kChunkBytes);
  crypto_generichash_state hasher;
  CHECK(sodium_init() >= 0, "libsodium cannot start");
  crypto_generichash_init(&hasher, nullptr, 0, 64);
  for (auto _ : state) crypto_generichash_update(&hasher, bytes.data(), bytes.size());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kChunkBytes));
}
BENCHMARK(BM_SodiumBlake2b);

// A sealed model of `megabytes` in a folder of its own; its files stay in the page cache.
struct SealedFile {
  explicit SealedFile(int64_t megabytes) {
    std::vector<std::byte> megabyte(1'000'000, std::byte{0x5a});
    ModelPolicy policy = {.name = "benchmark"};
    OutputFile file = OutputFile::Create(folder.Path("model.soter"), 0600).value();
    SealRequest seal = {.policy = policy, .recipients = std::span(&identity.recipient(), 1), .signer = owner};
    auto write_graph = [&](const ByteSink& sink) -> Status {
      for (int64_t i = 0; i < megabytes; ++i) TRY(sink(megabyte));
      return {};
    };
    auto write_file = [&](std::span<const std::byte> bytes) { return file.Write(bytes); };
    signature = SealModel(seal, write_graph, write_file).value().ToText();
    file.Commit().value();
    SecretBytes text = identity.ToText();
    folder.Write("key", std::string(AsText(text.Expose())));
    folder.Write("model.soter.minisig", signature);
    folder.Write("signer.pub", owner.Public().ToText());
  }
  InputFile Open() const { return InputFile::Open(folder.Path("model.soter")).value(); }

  TemporaryFolder folder;
  AgeIdentity identity = AgeIdentity::Generate().value();
  MinisignSecretKey owner = MinisignSecretKey::Generate().value();
  std::string signature;
};

// Argument of all below: MB of weights.
void BM_OpenSealedModel(benchmark::State& state) {
  SealedFile sealed(state.range(0));
  MinisignPublicKey signer = sealed.owner.Public();
  OpenRequest request = {
      .identities = std::span(&sealed.identity, 1), .signer = signer, .signature = sealed.signature};
  for (auto _ : state) {
    InputFile input = sealed.Open();
    Result<OpenedModel> model = OpenSealedModel(input.Source(), input.size_bytes, request);
    if (!model.ok()) return state.SkipWithError(model.error().message.c_str());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 1'000'000);
}
BENCHMARK(BM_OpenSealedModel)->Arg(550)->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime();

// Decryption alone, which is what `age -d -o /dev/null` does.
void BM_OpenDecryptOnly(benchmark::State& state) {
  SealedFile sealed(state.range(0));
  std::vector<std::byte> chunk(kAgeChunkBytes);
  for (auto _ : state) {
    InputFile input = sealed.Open();
    AgeDecryptor decryptor = AgeDecryptor::Open(input.Source(), std::span(&sealed.identity, 1)).value();
    while (decryptor.Read(chunk).value() > 0) benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 1'000'000);
}
BENCHMARK(BM_OpenDecryptOnly)->Arg(550)->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime();

void RunPeer(benchmark::State& state, const char* program, const char* command) {
  if (!HasProgram(program)) return state.SkipWithError("the program is not installed");
  SealedFile sealed(state.range(0));
  for (auto _ : state) {
    if (sealed.folder.Run(command) != 0) return state.SkipWithError("the program failed");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 1'000'000);
}

void BM_OpenPeerAge(benchmark::State& state) { RunPeer(state, "age", "age -d -i key -o /dev/null model.soter"); }
BENCHMARK(BM_OpenPeerAge)->Arg(550)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_OpenPeerMinisign(benchmark::State& state) {
  RunPeer(state, "minisign", "minisign -Vqm model.soter -p signer.pub");
}
BENCHMARK(BM_OpenPeerMinisign)->Arg(550)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace soter
