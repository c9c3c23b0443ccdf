#include "broker/state_directory.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>

#include "common/base/bytes.h"
#include "common/base/file.h"
#include "trusted/crypto/server_certificate.h"
#include "trusted/crypto/tls_context.h"

namespace soter {
namespace {

constexpr size_t kMaxPemBytes = 64 * 1024;
constexpr int64_t kCertificateSeconds = int64_t{2} * 365 * 24 * 3600, kClockSkewSeconds = 300;

Status WriteNew(const std::string& path, mode_t mode, ByteView bytes) {
  OutputFile file = TRY(OutputFile::Create(path, mode));
  TRY(file.Write(bytes));
  return file.CommitNew();
}

Status MakePrivate(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  std::error_code error;
  if (errno != EEXIST) return InvalidArgument(path + ": " + std::strerror(errno));
  if (!std::filesystem::is_empty(path, error) || error)
    return InvalidArgument(path + ": is not empty; a broker's state takes a directory of its own");
  if (::chmod(path.c_str(), 0700) != 0) return InvalidArgument(path + ": " + std::strerror(errno));
  return {};
}

}  // namespace

Status StateDirectory::Make(const Identity& identity, int64_t now_s) const {
  std::string certificate = identity.certificate_pem;
  SecretBytes key(identity.key_pem.size());
  std::ranges::copy(AsBytes(identity.key_pem), key.Expose().begin());
  if (certificate.empty()) {
    EcPrivateKey own = TRY(EcPrivateKey::Generate(EcCurve::kP256));
    certificate = TRY(SignServerCertificate(
        own, {identity.names, now_s - kClockSkewSeconds, now_s + kCertificateSeconds}));
    key = own.ToPem();
  }
  TRY(NewTlsServerContext(certificate, AsText(key.Expose())));
  SecretBytes token_key = TRY(EcPrivateKey::Generate(EcCurve::kP256)).ToPem();
  TRY(MakePrivate(path_));
  TRY(MakePrivate(collateral_path()));
  TRY(WriteNew(certificate_path(), 0644, AsBytes(certificate)));
  TRY(WriteNew(path_ + "/tls.key", 0600, key.Expose()));
  TRY(WriteNew(path_ + "/token.key", 0600, token_key.Expose()));
  TRY(Store::Create(path_ + "/broker.db", now_s));
  return {};
}

Result<Store> StateDirectory::OpenStore() const {
  if (std::error_code error; !std::filesystem::exists(path_ + "/broker.db", error))
    return InvalidArgument(path_ + ": holds no broker's state; soter broker init makes it");
  return Store::Open(path_ + "/broker.db");
}

Result<EcPrivateKey> StateDirectory::TokenKey() const {
  SecretBytes pem = TRY(ReadFile(path_ + "/token.key", kMaxPemBytes));
  return EcPrivateKey::FromPem(EcCurve::kP256, AsText(pem.Expose()));
}

Result<std::string> StateDirectory::TlsCertificate() const {
  SecretBytes pem = TRY(ReadFile(certificate_path(), kMaxPemBytes));
  return std::string(AsText(pem.Expose()));
}

Result<SecretBytes> StateDirectory::TlsKeyText() const { return ReadFile(path_ + "/tls.key", kMaxPemBytes); }

}  // namespace soter
