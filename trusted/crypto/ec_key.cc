#include "trusted/crypto/ec_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>

#include "common/base/check.h"
#include "trusted/crypto/ec.h"
#include "trusted/crypto/openssl_free.h"

namespace soter {
namespace {

using internal::EcGroupName;
using internal::Free;
using internal::Raw;

using Bignum = std::unique_ptr<BIGNUM, Free<BN_clear_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;

constexpr size_t kMaxPemBytes = 4096, kMaxPointBytes = 1 + 2 * EcCoordinateBytes(EcCurve::kP521);

std::vector<std::byte> PublicOf(EcCurve curve, const EVP_PKEY* key) {
  std::array<unsigned char, kMaxPointBytes> point;
  size_t size_bytes = 0;
  int done = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size_bytes);
  CHECK(done == 1 && size_bytes == 1 + 2 * EcCoordinateBytes(curve) && point[0] == 4, "OpenSSL gives no EC point");
  auto* first = reinterpret_cast<const std::byte*>(point.data());
  return {first + 1, first + size_bytes};
}

bool IsOfCurve(EcCurve curve, const EVP_PKEY* key) {
  std::array<char, 64> name = {};
  if (EVP_PKEY_is_a(key, "EC") != 1) return false;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(), nullptr) != 1)
    return false;
  return OBJ_sn2nid(name.data()) == EC_curve_nist2nid(EcGroupName(curve));
}

// The scalar must be that of the public key: two keys in one would sign as one and agree as the other.
bool IsPair(EVP_PKEY* key) {
  internal::KeyContext context(EVP_PKEY_CTX_new_from_pkey(internal::OpenSslLibrary(), key, nullptr));
  bool pair = context != nullptr && EVP_PKEY_pairwise_check(context.get()) == 1;
  ERR_clear_error();
  return pair;
}

Parameters KeyParameters(EcCurve curve, ByteView scalar, ByteView public_key) {
  Builder builder(OSSL_PARAM_BLD_new());
  Bignum number(BN_secure_new());
  std::vector<unsigned char> point = internal::UncompressedPoint(public_key);
  bool built = builder && number && BN_bin2bn(Raw(scalar.data()), static_cast<int>(scalar.size()), number.get()) &&
               OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, EcGroupName(curve), 0) &&
               OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) &&
               OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get());
  CHECK(built, "out of memory");
  return Parameters(OSSL_PARAM_BLD_to_param(builder.get()));
}

void PutScalar(const BIGNUM* number, std::span<std::byte> out) {
  CHECK(BN_bn2binpad(number, Raw(out.data()), static_cast<int>(out.size())) > 0, "an ECDSA value exceeds its curve");
}

}  // namespace

EcPrivateKey::EcPrivateKey(EcCurve curve, std::shared_ptr<evp_pkey_st> key)
    : curve_(curve), key_(std::move(key)), public_key_(PublicOf(curve, key_.get())) {}

Result<EcPrivateKey> EcPrivateKey::Generate(EcCurve curve) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(internal::OpenSslLibrary(), nullptr, "EC", EcGroupName(curve));
  ERR_clear_error();
  if (key == nullptr) return Unavailable("OpenSSL cannot make an EC key");
  return EcPrivateKey(curve, std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

Result<EcPrivateKey> EcPrivateKey::FromScalar(EcCurve curve, ByteView scalar, ByteView public_key) {
  if (scalar.size() != EcCoordinateBytes(curve)) return Malformed("an EC private key has a wrong length");
  TRY(internal::LoadEcPublicKey(curve, public_key));
  Parameters parameters = KeyParameters(curve, scalar, public_key);
  internal::KeyContext context(EVP_PKEY_CTX_new_from_name(internal::OpenSslLibrary(), "EC", nullptr));
  CHECK(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1, "OpenSSL cannot load EC keys");
  EVP_PKEY* loaded = nullptr;
  int done = EVP_PKEY_fromdata(context.get(), &loaded, EVP_PKEY_KEYPAIR, parameters.get());
  ERR_clear_error();
  if (done != 1) return Malformed("an EC private key is not a scalar of its curve");
  std::shared_ptr<EVP_PKEY> key(loaded, EVP_PKEY_free);
  if (!IsPair(loaded)) return Malformed("an EC private key is not that of its public key");
  return EcPrivateKey(curve, std::move(key));
}

Result<EcPrivateKey> EcPrivateKey::FromPem(EcCurve curve, std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return Malformed("a PEM private key is too long");
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  CHECK(bio, "out of memory");
  auto no_password = [](char*, int, int, void*) { return -1; };
  EVP_PKEY* read = PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_password, nullptr, internal::OpenSslLibrary(),
                                              nullptr);
  ERR_clear_error();
  std::shared_ptr<EVP_PKEY> key(read, EVP_PKEY_free);
  if (key == nullptr) return Malformed("not a PEM private key without a password");
  if (!IsOfCurve(curve, read)) return Malformed(std::string("a PEM private key is not one on ") + EcGroupName(curve));
  if (!IsPair(read)) return Malformed("a PEM private key is not that of its public key");
  return EcPrivateKey(curve, std::move(key));
}

SecretBytes EcPrivateKey::ToPem() const {
  Bio bio(BIO_new(BIO_s_secmem()));
  CHECK(bio, "out of memory");
  int done = PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  CHECK(done == 1, "OpenSSL cannot write a key");
  char* text = nullptr;
  auto size_bytes = static_cast<size_t>(BIO_get_mem_data(bio.get(), &text));
  SecretBytes pem(size_bytes);
  std::ranges::copy(AsBytes({text, size_bytes}), pem.Expose().begin());
  return pem;
}

Result<SecretBytes> EcPrivateKey::Agree(ByteView peer) const {
  internal::Key peer_key = TRY(internal::LoadEcPublicKey(curve_, peer));
  internal::KeyContext context(EVP_PKEY_CTX_new_from_pkey(internal::OpenSslLibrary(), key_.get(), nullptr));
  SecretBytes secret(EcCoordinateBytes(curve_));
  size_t size_bytes = secret.Expose().size();
  bool agreed = context && EVP_PKEY_derive_init(context.get()) == 1 &&
                EVP_PKEY_derive_set_peer(context.get(), peer_key.get()) == 1 &&
                EVP_PKEY_derive(context.get(), Raw(secret.Expose().data()), &size_bytes) == 1;
  ERR_clear_error();
  if (!agreed || size_bytes != secret.Expose().size()) return Malformed("an EC key agreement has no result");
  return secret;
}

std::vector<std::byte> EcPrivateKey::Sign(ByteView message) const {
  internal::HashContext context(EVP_MD_CTX_new());
  const char* hash = EVP_MD_get0_name(internal::OpenSslHash(internal::EcHash(curve_)));
  int started = EVP_DigestSignInit_ex(context.get(), nullptr, hash, internal::OpenSslLibrary(), nullptr, key_.get(),
                                      nullptr);
  CHECK(started == 1, "OpenSSL cannot start ECDSA");
  std::vector<unsigned char> der(static_cast<size_t>(EVP_PKEY_get_size(key_.get())));
  size_t der_bytes = der.size();
  int done = EVP_DigestSign(context.get(), der.data(), &der_bytes, Raw(message.data()), message.size());
  CHECK(done == 1, "OpenSSL cannot sign");
  const unsigned char* cursor = der.data();
  std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>> pair(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der_bytes)));
  CHECK(pair, "OpenSSL gives a signature that it cannot read");
  std::vector<std::byte> signature(2 * EcCoordinateBytes(curve_));
  PutScalar(ECDSA_SIG_get0_r(pair.get()), std::span(signature).first(signature.size() / 2));
  PutScalar(ECDSA_SIG_get0_s(pair.get()), std::span(signature).last(signature.size() / 2));
  return signature;
}

Status CheckEcPoint(EcCurve curve, ByteView public_key) {
  TRY(internal::LoadEcPublicKey(curve, public_key));
  return {};
}

}  // namespace soter
