#include "trusted/release/tee_evidence.h"

#include "common/base/reader.h"

namespace soter {
namespace {

constexpr size_t kSnpReportBytes = 1184, kSignatureAt = 0x2a0, kScalarBytes = 72;
constexpr uint8_t kTurinFamily = 0x1a;      // from here on a TCB begins with FMC
constexpr uint32_t kFirstWithCpuid = 3, kFirstWithMitVectors = 5;

Json ByteArray(ByteView bytes) {
  Json array = Json::array();
  for (std::byte byte : bytes) array.push_back(static_cast<uint8_t>(byte));
  return array;
}

// SnpFields reads the firmware's report at fixed offsets (SEV-SNP ABI, table "ATTESTATION_REPORT").
class SnpFields {
 public:
  explicit SnpFields(ByteView report) : report_(report) {}

  template <typename Number>
  Number At(size_t offset) const {
    Reader reader(report_.subspan(offset));
    return reader.ReadNumber<Number>().value();
  }
  Json Bytes(size_t offset, size_t size_bytes) const { return ByteArray(report_.subspan(offset, size_bytes)); }

  bool has_cpuid() const { return At<uint32_t>(0) >= kFirstWithCpuid; }

  Json Tcb(size_t offset) const {
    auto byte = [&](size_t i) { return At<uint8_t>(offset + i); };
    if (has_cpuid() && At<uint8_t>(0x188) >= kTurinFamily)
      return {{"fmc", byte(0)}, {"bootloader", byte(1)}, {"tee", byte(2)}, {"snp", byte(3)}, {"microcode", byte(7)}};
    return {{"fmc", nullptr}, {"bootloader", byte(0)}, {"tee", byte(1)}, {"snp", byte(6)}, {"microcode", byte(7)}};
  }

  Json Version(size_t offset) const {
    return {{"build", At<uint8_t>(offset)}, {"minor", At<uint8_t>(offset + 1)}, {"major", At<uint8_t>(offset + 2)}};
  }
  Json Cpuid(size_t offset) const { return has_cpuid() ? Json(At<uint8_t>(offset)) : Json(); }
  Json MitVector(size_t offset) const {
    return At<uint32_t>(0) >= kFirstWithMitVectors ? Json(At<uint64_t>(offset)) : Json();
  }

 private:
  ByteView report_;
};

Json SnpReportJson(const SnpFields& report) {
  return {{"version", report.At<uint32_t>(0)},
          {"guest_svn", report.At<uint32_t>(4)},
          {"policy", report.At<uint64_t>(8)},
          {"family_id", report.Bytes(0x10, 16)},
          {"image_id", report.Bytes(0x20, 16)},
          {"vmpl", report.At<uint32_t>(0x30)},
          {"sig_algo", report.At<uint32_t>(0x34)},
          {"current_tcb", report.Tcb(0x38)},
          {"plat_info", report.At<uint64_t>(0x40)},
          {"key_info", report.At<uint32_t>(0x48)},
          {"report_data", report.Bytes(0x50, 64)},
          {"measurement", report.Bytes(0x90, 48)},
          {"host_data", report.Bytes(0xc0, 32)},
          {"id_key_digest", report.Bytes(0xe0, 48)},
          {"author_key_digest", report.Bytes(0x110, 48)},
          {"report_id", report.Bytes(0x140, 32)},
          {"report_id_ma", report.Bytes(0x160, 32)},
          {"reported_tcb", report.Tcb(0x180)},
          {"cpuid_fam_id", report.Cpuid(0x188)},
          {"cpuid_mod_id", report.Cpuid(0x189)},
          {"cpuid_step", report.Cpuid(0x18a)},
          {"chip_id", report.Bytes(0x1a0, 64)},
          {"committed_tcb", report.Tcb(0x1e0)},
          {"current", report.Version(0x1e8)},
          {"committed", report.Version(0x1ec)},
          {"launch_tcb", report.Tcb(0x1f0)},
          {"launch_mit_vector", report.MitVector(0x1f8)},
          {"current_mit_vector", report.MitVector(0x200)},
          {"signature",
           {{"r", report.Bytes(kSignatureAt, kScalarBytes)}, {"s", report.Bytes(kSignatureAt + kScalarBytes, kScalarBytes)}}}};
}

// Leaf first, as the platform gives them; key_info says what the leaf is.
Json SnpChain(const SnpFields& report, const std::vector<std::vector<std::byte>>& certificates) {
  if (certificates.empty()) return nullptr;
  bool is_vlek = (report.At<uint32_t>(0x48) >> 2 & 7) == 1;
  const char* types[] = {is_vlek ? "VLEK" : "VCEK", "ASK", "ARK"};
  Json chain = Json::array();
  for (size_t i = 0; i < certificates.size() && i < std::size(types); ++i)
    chain.push_back({{"cert_type", types[i]}, {"data", ByteArray(certificates[i])}});
  return chain;
}

}  // namespace

Result<Json> EncodeTeeEvidence(PlatformKind platform, const PlatformReport& report) {
  switch (platform) {
    case PlatformKind::kSgx:
    case PlatformKind::kTdx: return Json{{"quote", EncodeBase64(report.report, Base64::kPadded)}};
    case PlatformKind::kDev: return Json{{"report", EncodeBase64(report.report, Base64::kPadded)}};
    case PlatformKind::kSnp: break;
  }
  if (report.report.size() != kSnpReportBytes) return Malformed("the SNP firmware's report is not 1184 bytes");
  SnpFields fields(report.report);
  return Json{{"attestation_report", SnpReportJson(fields)}, {"cert_chain", SnpChain(fields, report.certificates)}};
}

Json SampleEvidence(const ReportData& report_data) {
  return {{"svn", "1"}, {"report_data", EncodeBase64(report_data, Base64::kPadded)}};
}

}  // namespace soter
