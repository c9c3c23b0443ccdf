#pragma once

// For tests: vendors of our own, whose roots stand in a TrustAnchors of our own, so that tests can make evidence of
// every kind, also of machines and faults that no real vector has.

#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "trusted/attest/verify/verify.h"

struct evp_pkey_st;

namespace soter {

inline constexpr int64_t kTestNow = 1750000000;  // 2025-06-15
inline constexpr int64_t kTestYear = 365 * 24 * 3600;

// TestKey is a key pair on P-256 or P-384, or "RSA", which signs as AMD's upper certificates do: PSS, SHA-384, salt 48.
class TestKey {
 public:
  explicit TestKey(const char* kind);
  std::vector<std::byte> Point() const;                 // x then y
  std::vector<std::byte> Sign(ByteView message) const;  // r then s, big-endian, with the curve's hash
  evp_pkey_st* raw() const { return key_.get(); }

 private:
  std::shared_ptr<evp_pkey_st> key_;
  size_t scalar_bytes_;
};

struct TestCertificate {
  std::string name, issuer_name;
  bool is_ca = false;
  int64_t serial = 1;
  int64_t not_before = kTestNow - kTestYear, not_after = kTestNow + kTestYear;
  std::vector<std::pair<const char*, std::vector<std::byte>>> extensions;
};

Certificate Issue(const TestCertificate& content, const TestKey& subject, const TestKey& issuer);

struct TestRevocations {
  std::string issuer_name;
  std::vector<int64_t> serials;
  int64_t this_update = kTestNow - 1000, next_update = kTestNow + 1000;
};

RevocationList IssueList(const TestRevocations& content, const TestKey& issuer);
std::vector<std::byte> IssueListDer(const TestRevocations& content, const TestKey& issuer);

std::string ToPem(const std::vector<Certificate>& certificates);

// Der wraps `content` as one DER element.
std::vector<std::byte> Der(uint8_t tag, ByteView content);

// DerInteger is an INTEGER of 0 to 255.
std::vector<std::byte> DerInteger(uint8_t value);

}  // namespace soter
