#include "trusted/tee/dev_report.h"
#include "trusted/attest/verify/context.h"
#include "trusted/crypto/ed25519.h"

namespace soter::internal {

void VerifyDev(const Evidence& evidence, VerifyContext& context) {
  Result<DevReport> report = DecodeDevReport(evidence.report);
  if (!context.checks.Decide("dev.format", report, kDevWarning, "a dev report as soter attest writes it")) return;
  context.claims.measurement.assign(report->measurement.begin(), report->measurement.end());
  context.claims.report_data.assign(report->report_data.begin(), report->report_data.end());
  context.claims.device = EncodeHex(report->public_key);
  context.claims.debug = true;
  context.Detail("warning", kDevWarning);
  context.Detail("public_key", report->public_key);
  context.checks.Decide("dev.signature",
                        VerifyEd25519(report->public_key, DevSignedBytes(*report), report->signature),
                        "signed by the install's key", "the report as the install made it");
  const DevPolicy& policy = context.inputs.policy.dev;
  CheckPinned("dev.key", report->public_key, policy.keys, false, "[dev] keys", context);
  CheckPinned("dev.measurement", report->measurement, policy.measurements, policy.any_measurement_insecure,
              "[dev] measurements", context);
}

}  // namespace soter::internal
