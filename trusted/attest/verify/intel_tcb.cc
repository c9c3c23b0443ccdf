#include "trusted/attest/verify/intel_tcb.h"

#include <algorithm>
#include <cctype>

#include "common/base/hex.h"
#include "trusted/crypto/der_reader.h"

namespace soter {
namespace {

// 1.2.840.113741.1.13.1, as DER content; the fields' identifiers add one or two numbers to it.
constexpr std::string_view kSgxOidHex = "2a864886f84d010d01";

Result<std::string> ReadHexField(DerReader& reader, size_t size_bytes) {
  ByteView content = TRY(reader.Read(DerReader::kOctetString));
  if (content.size() != size_bytes) return Malformed("a field of a PCK certificate has the wrong length");
  return EncodeHex(content);
}

// SEQUENCE of SEQUENCE { identifier, INTEGER }, numbered 1 to 16 for the components, 17 for the PCE; 18 repeats
// the components as bytes.
Status ParseTcb(DerReader sequence, PckPlatform& platform) {
  for (uint8_t number = 1; number <= 17; ++number) {
    DerReader entry(TRY(sequence.Read(DerReader::kSequence)));
    std::byte last[] = {std::byte{2}, std::byte{number}};
    if (EncodeHex(TRY(entry.Read(DerReader::kObjectIdentifier))) != std::string(kSgxOidHex) + EncodeHex(last))
      return Malformed("a PCK certificate's TCB is out of order");
    uint16_t value = TRY(entry.ReadSmallInteger());
    TRY(entry.ExpectEnd());
    if (number == 17) {
      platform.pce_svn = value;
    } else if (value > UINT8_MAX) {
      return Malformed("a PCK certificate's TCB component exceeds 255");
    } else {
      platform.components[number - 1] = static_cast<uint8_t>(value);
    }
  }
  TRY(sequence.Read(DerReader::kSequence));
  return sequence.ExpectEnd();
}

bool Reaches(const TcbComponents& have, const TcbComponents& want, size_t first = 0) {
  for (size_t i = first; i < want.size(); ++i)
    if (have[i] < want[i]) return false;
  return true;
}

TcbComponents TdComponents(const TdReport& td) {
  TcbComponents components;
  std::transform(td.tee_tcb_svn.begin(), td.tee_tcb_svn.end(), components.begin(),
                 [](std::byte b) { return std::to_integer<uint8_t>(b); });
  return components;
}

bool EqualMasked(ByteView actual, ByteView mask, ByteView expected) {
  if (actual.size() != mask.size() || actual.size() != expected.size()) return false;
  for (size_t i = 0; i < actual.size(); ++i)
    if ((actual[i] & mask[i]) != expected[i]) return false;
  return true;
}

bool EqualBytes(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Result<TcbStanding> MatchIsvSvn(const std::vector<IsvSvnLevel>& levels, uint16_t isv_svn, const char* what) {
  for (const IsvSvnLevel& level : levels)
    if (isv_svn >= level.isv_svn) return TcbStanding{level.status, level.advisories};
  return AuthError(std::string(what) + " is older than any version that Intel lists");
}

// The platform stays what it is when the part is better or equal; an outdated part makes the whole outdated, and a
// need for configuration stays visible (Intel's convergence rules for QE and TDX module).
TcbStatus Converge(TcbStatus platform, TcbStatus part) {
  using enum TcbStatus;
  if (platform == kRevoked || part == kRevoked) return kRevoked;
  if (part == kUpToDate) return platform;
  if (part != kOutOfDate) return std::max(platform, part);
  bool configure = platform == kConfigurationNeeded || platform == kConfigurationAndSwHardeningNeeded ||
                   platform == kOutOfDateConfigurationNeeded;
  return configure ? kOutOfDateConfigurationNeeded : kOutOfDate;
}

}  // namespace

const char* TcbStatusName(TcbStatus status) {
  switch (status) {
    case TcbStatus::kUpToDate: return "UpToDate";
    case TcbStatus::kSwHardeningNeeded: return "SWHardeningNeeded";
    case TcbStatus::kConfigurationNeeded: return "ConfigurationNeeded";
    case TcbStatus::kConfigurationAndSwHardeningNeeded: return "ConfigurationAndSWHardeningNeeded";
    case TcbStatus::kOutOfDate: return "OutOfDate";
    case TcbStatus::kOutOfDateConfigurationNeeded: return "OutOfDateConfigurationNeeded";
    case TcbStatus::kRevoked: return "Revoked";
  }
  CHECK(false, "a TCB status without a name");
}

Result<PckPlatform> ParsePckPlatform(ByteView extension) {
  DerReader outer(extension);
  DerReader fields(TRY(outer.Read(DerReader::kSequence)));
  TRY(outer.ExpectEnd());
  PckPlatform platform;
  for (uint8_t number = 1; !fields.at_end(); ++number) {
    DerReader field(TRY(fields.Read(DerReader::kSequence)));
    std::byte last[] = {std::byte{number}};
    if (EncodeHex(TRY(field.Read(DerReader::kObjectIdentifier))) != std::string(kSgxOidHex) + EncodeHex(last))
      return Malformed("a PCK certificate's fields are out of order");
    switch (number) {
      case 1: platform.ppid = TRY(ReadHexField(field, 16)); break;
      case 2: TRY(ParseTcb(DerReader(TRY(field.Read(DerReader::kSequence))), platform)); break;
      case 3: platform.pce_id = TRY(ReadHexField(field, 2)); break;
      case 4: platform.fmspc = TRY(ReadHexField(field, 6)); break;
      default: TRY(field.Skip()); break;  // kind of SGX, platform instance, configuration
    }
    TRY(field.ExpectEnd());
  }
  if (platform.fmspc.empty()) return Malformed("a PCK certificate names no FMSPC");
  return platform;
}

Result<TcbStanding> MatchPlatform(const TcbInfo& info, const PckPlatform& platform, const TdReport* td) {
  for (const TcbLevel& level : info.levels) {
    if (!Reaches(platform.components, level.sgx) || platform.pce_svn < level.pce_svn) continue;
    if (td != nullptr) {
      // From TDX 1.5 on, the first two are the module's own version, which MatchTdxModule judges.
      size_t first = td->tee_tcb_svn[1] == std::byte{0} ? 0 : 2;
      if (!Reaches(TdComponents(*td), level.tdx, first)) continue;
    }
    return TcbStanding{level.status, level.advisories};
  }
  return AuthError("the platform reaches no TCB level that Intel lists");
}

Result<TcbStanding> MatchTdxModule(const TcbInfo& info, const TdReport& td) {
  std::byte version[] = {td.tee_tcb_svn[1]};
  std::string id = version[0] == std::byte{0} ? "" : "TDX_" + EncodeHex(version);
  for (const TdxModuleIdentity& module : info.tdx_modules) {
    std::string listed = module.id;
    std::transform(listed.begin() + std::min<size_t>(4, listed.size()), listed.end(),
                   listed.begin() + std::min<size_t>(4, listed.size()), [](char c) { return std::tolower(c); });
    if (listed != id) continue;
    if (!EqualBytes(td.mr_signer_seam, module.mr_signer)) return AuthError("the TDX module has another signer");
    if (!EqualMasked(td.seam_attributes, module.attributes_mask, module.attributes))
      return AuthError("the TDX module has other attributes");
    if (id.empty()) return TcbStanding{};
    return MatchIsvSvn(module.levels, std::to_integer<uint16_t>(td.tee_tcb_svn[0]), "the TDX module");
  }
  return AuthError("Intel lists no TDX module " + (id.empty() ? "of the original release" : id));
}

Result<TcbStanding> MatchQuotingEnclave(const QeIdentity& identity, const SgxReport& qe) {
  if ((qe.misc_select & identity.misc_select_mask) != identity.misc_select)
    return AuthError("the quoting enclave has another MISCSELECT");
  if (!EqualMasked(qe.attributes, identity.attributes_mask, identity.attributes))
    return AuthError("the quoting enclave has other attributes");
  if (!EqualBytes(qe.mr_signer, identity.mr_signer)) return AuthError("the quoting enclave has another signer");
  if (qe.isv_prod_id != identity.isv_prod_id) return AuthError("the quoting enclave is another product");
  return MatchIsvSvn(identity.levels, qe.isv_svn, "the quoting enclave");
}

TcbStanding Merge(TcbStanding platform, const TcbStanding& part) {
  platform.status = Converge(platform.status, part.status);
  for (const std::string& advisory : part.advisories)
    if (std::find(platform.advisories.begin(), platform.advisories.end(), advisory) == platform.advisories.end())
      platform.advisories.push_back(advisory);
  return platform;
}

}  // namespace soter
