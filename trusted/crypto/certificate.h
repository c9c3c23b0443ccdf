#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "trusted/crypto/hash.h"

struct x509_st;
struct X509_crl_st;

namespace soter {

// Certificate is one parsed X.509 certificate. Nothing about it is verified by parsing.
class Certificate {
 public:
  // FromDer parses one certificate that fills `der` to its last byte. Errors: kMalformed.
  static Result<Certificate> FromDer(ByteView der);

  std::string subject_name() const;  // the subject's common name; empty where there is none
  std::string issuer_name() const;
  int64_t not_before() const;  // seconds since 1970, UTC
  int64_t not_after() const;
  std::vector<std::byte> PublicKeyDer() const;  // SubjectPublicKeyInfo

  // EcPublicKey returns the key as x then y, big-endian, the form of VerifyEcdsa, which checks the curve.
  // Errors: kMalformed (another kind of key).
  Result<std::vector<std::byte>> EcPublicKey() const;

  Sha256::Digest PublicKeyDigest() const { return Digest<Sha256>(PublicKeyDer()); }
  std::vector<std::byte> ToDer() const;

  // Extension returns the content of the extension with dotted `oid`, or nothing where it is absent.
  // Errors: kMalformed (it is there twice).
  Result<std::optional<std::vector<std::byte>>> Extension(const char* oid) const;

  bool IsIssuedBy(const Certificate& issuer) const;  // by name; says nothing of the signature
  bool IsSignedBy(const Certificate& issuer) const;  // by its key; says nothing of the right to issue
  bool IsSelfIssued() const { return IsIssuedBy(*this); }

  // CheckSelfSignature decides whether the certificate is signed with its own key. Errors: kAuth.
  Status CheckSelfSignature() const;

  const x509_st* raw() const { return x509_.get(); }

 private:
  explicit Certificate(std::shared_ptr<x509_st> x509) : x509_(std::move(x509)) {}
  std::shared_ptr<x509_st> x509_;
};

// CheckPath decides whether `path` is a chain of signatures, leaf first, that ends in the self-signed
// certificate path.back(), with each issuer allowed to issue (RFC 5280, 6.1). Whether that root is to be
// trusted, dates and revocation are the caller's to check.
// Errors: kAuth (the chain does not hold).
Status CheckPath(std::span<const Certificate> path);

// RevocationList is one parsed X.509 CRL. Nothing about it is verified by parsing.
class RevocationList {
 public:
  // FromDer parses one list that fills `der` to its last byte. Errors: kMalformed.
  static Result<RevocationList> FromDer(ByteView der);

  int64_t this_update() const;
  int64_t next_update() const;                       // 0 where the list does not say
  bool IsIssuedBy(const Certificate& issuer) const;  // by name; says nothing of the signature

  // CheckSignature decides whether `issuer` signed the list. Errors: kAuth.
  Status CheckSignature(const Certificate& issuer) const;

  // Revokes tells whether `certificate` is listed: same issuer name and serial number.
  bool Revokes(const Certificate& certificate) const;

 private:
  explicit RevocationList(std::shared_ptr<X509_crl_st> crl) : crl_(std::move(crl)) {}
  std::shared_ptr<X509_crl_st> crl_;
};

// PemBlock is one decoded "-----BEGIN label-----" block.
struct PemBlock {
  std::string label;
  std::vector<std::byte> der;
};

// ReadPem decodes the blocks of `text`: lines end in LF or CRLF, empty lines may stand between blocks, one zero
// byte may end the text, and nothing else is taken (RFC 7468, strict form). Errors: kMalformed.
Result<std::vector<PemBlock>> ReadPem(std::string_view text);

}  // namespace soter
