#pragma once

// For tests: SGX and TDX machines of an Intel of our own, with its collateral.

#include <array>
#include <string>

#include "tests/attest/test_authority.h"
#include "trusted/attest/verify/verify.h"

namespace soter {

// IntelFault says in what a machine, its quote or its collateral differs from a good one.
struct IntelFault {
  bool tdx = true;
  uint16_t version = 5;
  uint8_t td_attribute = 0, td_migration = 0, sgx_flags = 5;  // initialised, 64-bit
  uint8_t td_attributes_8_to_15 = 0;
  uint16_t td_body_type = 3;  // of version 5: TDX 1.0, 1.5 or 1.5 extended
  uint8_t module_major = 3;   // 0: a module of TDX 1.0
  uint16_t qe_isv_svn = 8;
  uint8_t qe_prod = 2, qe_flags = 0x11;
  std::string platform_fmspc = "b0c06f000000", platform_status = "UpToDate", module_status = "UpToDate",
              qe_status = "UpToDate", module_id = "TDX_03";
  std::string tcb_signer = "Intel SGX TCB Signing", pck_name = "Intel SGX PCK Certificate";
  uint8_t level_svn = 3, module_svn = 5;
  uint8_t tdx_level_svn = 2;
  int64_t info_start = kTestNow - 100, list_start = kTestNow - 1000, pck_start = kTestNow - kTestYear;
  int64_t info_end = kTestNow + 100, list_end = kTestNow + 100, pck_end = kTestNow + kTestYear;
  std::vector<int64_t> revoked_by_root, revoked_by_ca;
  bool break_binding = false, collateral_of_sgx = false;
  bool list_of_other_ca = false;    // the list of Intel's other CA, properly signed
  std::string json_tail;            // follows the signed JSON, inside the signature
  std::string json_repeats;         // a member that stands in the signed JSON a second time
  uint16_t level_pce_svn = 3;
  bool better_level_first = false;  // which the platform does not reach
  int64_t evaluation_number = 17;
  int tcb_info_version = 3;
  // Collateral as answers of Intel's service, in files of their own, but for the one that is named.
  bool as_answers = false;
  std::string answer_left_out;
  std::array<std::byte, 64> report_data = {};
};

// IntelWorld is Intel, one PCK CA and one machine, whose keys live as long as it does.
class IntelWorld {
 public:
  // Machine is what a verifier gets: a quote, and the collateral for it.
  struct Machine {
    Evidence evidence;
    Collateral collateral;
  };

  Machine Make(const IntelFault& fault) const;

  // PackedCollateral is that of Make as one file (docs/spec/attestation.md, 2.3).
  std::string PackedCollateral(const IntelFault& fault) const;

  TrustAnchors anchors() const;

 private:
  struct Issued;
  Issued IssueAll(const IntelFault& fault) const;
  std::vector<std::byte> MakeQuote(const IntelFault& fault, const std::string& pem) const;

  TestKey root_{"P-256"}, ca_{"P-256"}, pck_{"P-256"}, tcb_{"P-256"}, ak_{"P-256"};
};

}  // namespace soter
