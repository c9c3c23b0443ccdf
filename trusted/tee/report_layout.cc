#include "trusted/tee/report_layout.h"

#include "common/base/reader.h"

namespace soter {
namespace {

struct Field {
  size_t offset, size;
};

Result<ByteView> Slice(ByteView report, Field field) {
  Reader reader(report);
  TRY(reader.ReadBytes(field.offset));
  return reader.ReadBytes(field.size);
}

// The body of a quote starts after a header of 48 bytes, and from version 5 on after its type and size.
Result<size_t> QuoteBodyOffset(ByteView quote) {
  uint16_t version = TRY(Reader(quote).ReadNumber<uint16_t>());
  if (version < 3 || version > 5) return Malformed("the platform made a quote of an unknown version");
  return size_t{version == 5 ? 54u : 48u};
}

}  // namespace

Result<ByteView> ReportDataIn(PlatformKind kind, ByteView report) {
  switch (kind) {
    case PlatformKind::kSnp: return Slice(report, {0x50, 64});
    case PlatformKind::kSgx: return Slice(report, {TRY(QuoteBodyOffset(report)) + 320, 64});
    case PlatformKind::kTdx: return Slice(report, {TRY(QuoteBodyOffset(report)) + 520, 64});
    case PlatformKind::kDev: return Slice(report, {52, 64});
  }
  CHECK(false, "a platform without a report layout");
}

Result<ByteView> MeasurementIn(PlatformKind kind, ByteView report) {
  switch (kind) {
    case PlatformKind::kSnp: return Slice(report, {0x90, 48});
    case PlatformKind::kSgx: return Slice(report, {TRY(QuoteBodyOffset(report)) + 64, 32});
    case PlatformKind::kTdx: return Slice(report, {TRY(QuoteBodyOffset(report)) + 136, 48});
    case PlatformKind::kDev: return Slice(report, {20, 32});
  }
  CHECK(false, "a platform without a report layout");
}

}  // namespace soter
