#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace soter {

inline constexpr size_t kSnpReportBytes = 1184;

enum class SnpLine : uint8_t { kMilan, kGenoa, kTurin };

// SnpLineName returns "Milan", "Genoa" or "Turin".
const char* SnpLineName(SnpLine line);

// SnpTcb is the version of each firmware part that can be updated (SEV-SNP ABI, TCB_VERSION).
struct SnpTcb {
  uint8_t fmc = 0;  // Turin and later only
  uint8_t bootloader = 0;
  uint8_t tee = 0;
  uint8_t snp = 0;
  uint8_t microcode = 0;

  bool operator==(const SnpTcb&) const = default;
  // AtLeast tells whether no part is older than in `floor`.
  bool AtLeast(const SnpTcb& floor) const;
  std::string ToText() const;
};

// DecodeSnpTcb reads the eight bytes of a TCB_VERSION; Turin lays them out otherwise than Milan and Genoa.
SnpTcb DecodeSnpTcb(uint64_t raw, SnpLine line);

// SnpReport is an SEV-SNP attestation report, versions 2 to 5 (SEV-SNP ABI, ATTESTATION_REPORT).
struct SnpReport {
  enum class SigningKey : uint8_t { kVcek = 0, kVlek = 1 };

  uint32_t version = 0;
  uint32_t guest_svn = 0;
  uint64_t policy = 0;
  uint32_t vmpl = 0;
  uint64_t current_tcb = 0;
  uint64_t platform_info = 0;
  SigningKey signing_key = SigningKey::kVcek;
  std::array<std::byte, 64> report_data = {};
  std::array<std::byte, 48> measurement = {};
  std::array<std::byte, 32> host_data = {};
  std::array<std::byte, 48> id_key_digest = {};
  uint64_t reported_tcb = 0;
  uint8_t cpu_family = 0;  // 0 before version 3
  uint8_t cpu_model = 0;
  std::array<std::byte, 64> chip_id = {};
  uint64_t committed_tcb = 0;
  uint64_t launch_tcb = 0;
  std::vector<std::byte> signed_bytes;       // what the signature covers
  std::array<std::byte, 96> signature = {};  // r then s, big-endian

  bool debug_allowed() const { return policy >> 19 & 1; }
  bool migration_agent_allowed() const { return policy >> 18 & 1; }
  bool smt_allowed() const { return policy >> 16 & 1; }
  // Bit 17 is always set; a bit above 25 promises or allows what this verifier does not know.
  bool policy_known() const { return (policy >> 17 & 1) == 1 && policy >> 26 == 0; }
  bool alias_check_complete() const { return platform_info >> 5 & 1; }
};

// ParseSnpReport reads exactly one report. The unsigned tail after r and s must be zero.
// Errors: kMalformed, kUnsupported (another version, algorithm or signing key).
Result<SnpReport> ParseSnpReport(ByteView bytes);

}  // namespace soter
