#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "trusted/attest/evidence.h"
#include "trusted/attest/verify/snp_report.h"
#include "trusted/attest/verify/toml.h"

namespace soter {

// Policy says which evidence is accepted: P.toml of `soter verify` (docs/spec/attestation.md, 5). Settings whose
// names end in _insecure give up a guarantee. An empty list of measurements accepts none, never all.
// Byte strings are lower-case hexadecimal, of the length that their field has.
struct WorkloadPolicy {
  std::string purpose;  // empty: any, and raw report_data too
  std::string nonce;
  std::string model_digest;
  std::vector<std::string> schemes;  // empty: any
  std::vector<std::string> checks;

  bool pins_anything() const {
    return !purpose.empty() || !nonce.empty() || !model_digest.empty() || !schemes.empty() || !checks.empty();
  }
};

struct SnpPolicy {
  std::vector<std::string> measurements;
  bool any_measurement_insecure = false;
  bool allow_debug_insecure = false;
  bool allow_migration_agent = false;
  bool allow_smt = true;
  bool allow_vlek = true;
  bool require_revocation_lists = false;
  bool require_alias_check = false;
  std::vector<int64_t> vmpls = {0};
  std::string host_data;
  std::vector<std::string> id_key_digests;
  std::vector<std::string> chip_ids;
  int64_t min_guest_svn = 0;
  SnpTcb min_tcb;         // reported and committed
  SnpTcb min_launch_tcb;  // when the guest was started
};

// SgxPolicy's names are those of Gramine's RA_TLS_* variables.
struct SgxPolicy {
  std::vector<std::string> mrenclave;
  std::vector<std::string> mrsigner;
  std::optional<int64_t> isv_prod_id;  // required with mrsigner
  int64_t isv_svn = 0;                 // the least that is accepted
  bool any_measurement_insecure = false;
  bool allow_debug_enclave_insecure = false;
};

struct TdxPolicy {
  std::vector<std::string> mr_td;
  bool any_measurement_insecure = false;
  bool allow_debug_insecure = false;
  bool allow_migration = false;
  std::vector<std::string> mr_seam;
  std::vector<std::string> rtmr0, rtmr1, rtmr2, rtmr3;  // empty: any
  std::string mr_config_id, mr_owner, mr_owner_config;
};

// IntelPolicy is what SGX and TDX share: how current the platform must be.
struct IntelPolicy {
  bool allow_outdated_tcb_insecure = false;
  bool allow_hw_config_needed = false;
  bool allow_sw_hardening_needed = false;
  bool allow_missing_collateral_insecure = false;
  std::vector<std::string> allowed_advisories;
  int64_t min_tcb_evaluation_data_number = 0;
  std::vector<std::string> ppids;  // platform ids, hexadecimal of 16 bytes; empty: any
};

struct DevPolicy {
  std::vector<std::string> keys;  // Ed25519 public keys of the installs that are accepted
  std::vector<std::string> measurements;
  bool any_measurement_insecure = false;
};

struct Policy {
  std::vector<PlatformKind> platforms;
  std::string report_data;  // empty: any
  WorkloadPolicy workload;
  SnpPolicy snp;
  SgxPolicy sgx;
  TdxPolicy tdx;
  IntelPolicy intel;
  DevPolicy dev;
};

// ParsePolicy reads P.toml. Errors: kMalformed (not our part of TOML), kInvalidArgument (an unknown table or
// setting, a value of the wrong type or length, no platform).
Result<Policy> ParsePolicy(std::string_view toml);

// ReadPolicy reads the tables of a parsed file, all of them: who has tables of their own takes them out before.
// Errors: kInvalidArgument, as above.
Result<Policy> ReadPolicy(TomlFile& file);

}  // namespace soter
