// Collateral files, and the JSON that Intel signs, as if its signature held.
#include <cstdint>

#include "trusted/attest/verify/evidence_file.h"
#include "trusted/attest/verify/intel_tcb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace soter;
  ByteView bytes = std::as_bytes(std::span(data, size));
  Collateral collateral;
  (void)AddCollateral(bytes, collateral);
  Result<TcbInfo> info = ParseTcbInfo(AsText(bytes));
  if (info.ok()) {
    (void)MatchPlatform(*info, PckPlatform(), nullptr);
    (void)MatchTdxModule(*info, TdReport());
  }
  Result<QeIdentity> identity = ParseQeIdentity(AsText(bytes));
  if (identity.ok()) (void)MatchQuotingEnclave(*identity, SgxReport());
  (void)ParsePckPlatform(bytes);
  return 0;
}
