#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "trusted/attest/verify/quote.h"

namespace soter {

// TcbStatus is Intel's word on a platform, a TDX module or a quoting enclave, best first.
enum class TcbStatus : uint8_t {
  kUpToDate,
  kSwHardeningNeeded,
  kConfigurationNeeded,
  kConfigurationAndSwHardeningNeeded,
  kOutOfDate,
  kOutOfDateConfigurationNeeded,
  kRevoked,
};

// TcbStatusName returns Intel's spelling, e.g. "UpToDate".
const char* TcbStatusName(TcbStatus status);

using TcbComponents = std::array<uint8_t, 16>;

// TcbLevel is one row of a TCB info; rows stand from best to worst.
struct TcbLevel {
  TcbComponents sgx = {};
  TcbComponents tdx = {};  // TDX only
  uint16_t pce_svn = 0;
  TcbStatus status = TcbStatus::kRevoked;
  std::vector<std::string> advisories;
};

// IsvSvnLevel is one row for something that has a single version: a TDX module or a quoting enclave.
struct IsvSvnLevel {
  uint16_t isv_svn = 0;
  TcbStatus status = TcbStatus::kRevoked;
  std::vector<std::string> advisories;
};

struct TdxModuleIdentity {
  std::string id;  // "TDX_01"; empty for the identity that older modules share
  std::vector<std::byte> mr_signer;
  std::vector<std::byte> attributes;
  std::vector<std::byte> attributes_mask;
  std::vector<IsvSvnLevel> levels;
};

// TcbInfo is Intel's signed statement on every platform of one FMSPC.
struct TcbInfo {
  bool is_tdx = false;
  int64_t issue_date = 0, next_update = 0;
  std::string fmspc, pce_id;  // lower-case hexadecimal
  int64_t evaluation_data_number = 0;
  std::vector<TcbLevel> levels;
  std::vector<TdxModuleIdentity> tdx_modules;
};

// QeIdentity is Intel's signed statement on its quoting enclaves.
struct QeIdentity {
  bool is_tdx = false;
  int64_t issue_date = 0, next_update = 0;
  int64_t evaluation_data_number = 0;
  uint32_t misc_select = 0, misc_select_mask = 0;
  std::vector<std::byte> attributes, attributes_mask;  // 16 bytes each
  std::vector<std::byte> mr_signer;
  uint16_t isv_prod_id = 0;
  std::vector<IsvSvnLevel> levels;
};

// ParseTcbInfo and ParseQeIdentity read the JSON that Intel signed (TCB info versions 2 and 3, enclave identity version 2).
// Errors: kMalformed, kUnsupported (another version or kind).
Result<TcbInfo> ParseTcbInfo(std::string_view json);
Result<QeIdentity> ParseQeIdentity(std::string_view json);

// PckPlatform is what a PCK certificate says of its platform (Intel's SGX extension).
struct PckPlatform {
  std::string fmspc, pce_id, ppid;  // lower-case hexadecimal
  TcbComponents components = {};
  uint16_t pce_svn = 0;
};

// ParsePckPlatform reads the content of extension 1.2.840.113741.1.13.1. Errors: kMalformed.
Result<PckPlatform> ParsePckPlatform(ByteView extension);

// TcbStanding is the status of one part, with the advisories that its level lists.
struct TcbStanding {
  TcbStatus status = TcbStatus::kUpToDate;
  std::vector<std::string> advisories;
};

// MatchPlatform finds the first level that the platform reaches; `td` is null for SGX.
// Errors: kAuth (it reaches none).
Result<TcbStanding> MatchPlatform(const TcbInfo& info, const PckPlatform& platform, const TdReport* td);

// MatchTdxModule checks the TDX module's signer and attributes and finds its level; a module without an identity of
// its own must be that of Intel's original release. Errors: kAuth.
Result<TcbStanding> MatchTdxModule(const TcbInfo& info, const TdReport& td);

// MatchQuotingEnclave checks the QE report against Intel's identity and finds its level. Errors: kAuth.
Result<TcbStanding> MatchQuotingEnclave(const QeIdentity& identity, const SgxReport& qe_report);

// Merge is the standing of a platform one of whose parts stands like `part`: the worse of both, advisories joined.
TcbStanding Merge(TcbStanding platform, const TcbStanding& part);

}  // namespace soter
