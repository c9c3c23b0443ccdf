#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace soter {

// SgxReport is the body of an SGX report: what the CPU says of one enclave.
struct SgxReport {
  std::array<std::byte, 16> cpu_svn = {};
  uint32_t misc_select = 0;
  std::array<std::byte, 16> attributes = {};  // flags, then XFRM
  std::array<std::byte, 32> mr_enclave = {};
  std::array<std::byte, 32> mr_signer = {};
  uint16_t isv_prod_id = 0;
  uint16_t isv_svn = 0;
  std::array<std::byte, 64> report_data = {};

  bool debug() const { return (attributes[0] & std::byte{2}) != std::byte{0}; }
};

// TdReport is the body of a TDX quote: what the TDX module says of one trust domain.
struct TdReport {
  std::array<std::byte, 16> tee_tcb_svn = {};
  std::array<std::byte, 48> mr_seam = {};
  std::array<std::byte, 48> mr_signer_seam = {};
  std::array<std::byte, 8> seam_attributes = {};
  std::array<std::byte, 8> td_attributes = {};
  std::array<std::byte, 8> xfam = {};
  std::array<std::byte, 48> mr_td = {};
  std::array<std::byte, 48> mr_config_id = {};
  std::array<std::byte, 48> mr_owner = {};
  std::array<std::byte, 48> mr_owner_config = {};
  std::array<std::array<std::byte, 48>, 4> rtmr = {};
  std::array<std::byte, 64> report_data = {};
  std::array<std::byte, 16> tee_tcb_svn_2 = {};  // TDX 1.5; zero in older bodies
  std::array<std::byte, 48> mr_service_td = {};

  // The whole first byte is the "under debug" group; any bit in it makes the TD's memory readable.
  bool debug() const { return td_attributes[0] != std::byte{0}; }
  // The next three bytes bear on security (LASS, SEPT_VE_DISABLE, MIGRATABLE, PKS and KL are known); the rest does not.
  bool attributes_known() const {
    return td_attributes[1] == std::byte{0} && td_attributes[2] == std::byte{0} &&
           (td_attributes[3] & std::byte{0x07}) == std::byte{0};
  }
  // A migration TD of the host's choice may carry the TD, memory and all, to another machine.
  bool migratable() const { return (td_attributes[3] & std::byte{0x20}) != std::byte{0}; }
};

// Quote is an Intel DCAP quote: SGX v3, SGX in v4 and v5, TDX v4 and v5 (Intel's quote formats).
struct Quote {
  uint16_t version = 0;
  std::variant<SgxReport, TdReport> body;
  std::vector<std::byte> signed_bytes;  // header and body
  std::array<std::byte, 64> signature = {};
  std::array<std::byte, 64> attestation_key = {};  // P-256 point
  std::vector<std::byte> qe_report_bytes;
  SgxReport qe_report;
  std::array<std::byte, 64> qe_signature = {};
  std::vector<std::byte> qe_authentication_data;
  std::string pck_chain_pem;

  bool is_tdx() const { return std::holds_alternative<TdReport>(body); }
};

// ParseQuote reads one quote. Only zeros may follow it: guests hand out a buffer that is longer than its quote.
// Errors: kMalformed, kUnsupported (another version, TEE, key type, vendor or certification data).
Result<Quote> ParseQuote(ByteView bytes);

}  // namespace soter
