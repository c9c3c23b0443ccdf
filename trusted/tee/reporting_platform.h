#pragma once

#include <algorithm>

#include "trusted/tee/platform.h"
#include "trusted/tee/report_layout.h"

namespace soter::internal {

// Broken is the error of a device that is there: whoever looks for a TEE must not go on as if there were none.
inline Error Broken(Error error) {
  if (error.code == ErrorCode::kUnavailable) error.code = ErrorCode::kExhausted;
  return error;
}

// ReportingPlatform shares what all platforms do with a report: check that it answers the question, and read the
// measurement from it.
class ReportingPlatform : public Platform {
 public:
  Result<PlatformReport> Produce(const ReportData& report_data) final {
    PlatformReport report = TRY(MakeReport(report_data));
    ByteView answered = TRY(ReportDataIn(kind(), report.report));
    if (!std::equal(answered.begin(), answered.end(), report_data.begin(), report_data.end()))
      return Unavailable("the platform answered another request than ours");
    return report;
  }

  Result<std::vector<std::byte>> Measurement() override {
    PlatformReport report = TRY(Produce(ReportData{}));
    ByteView measurement = TRY(MeasurementIn(kind(), report.report));
    return std::vector<std::byte>(measurement.begin(), measurement.end());
  }

 protected:
  virtual Result<PlatformReport> MakeReport(const ReportData& report_data) = 0;
};

}  // namespace soter::internal
