
#include "broker/evidence_json.h"
#include "trusted/attest/verify/snp_report.h"

namespace soter {
namespace {

constexpr size_t kMitVectorsAt = 0x1f8, kSignatureAt = 0x2a0, kScalarBytes = 72;

Error Wrong(const char* name, const char* wanted) {
  return Malformed(std::string("the SNP report's \"") + name + "\" is not " + wanted);
}

// SnpReportWriter writes the members of one JSON object in the firmware's order; the first that is wrong ends it.
class SnpReportWriter {
 public:
  SnpReportWriter(const Json& json, std::vector<std::byte>& out) : json_(json), out_(out) {}

  Status Number(const char* name, size_t size_bytes) {
    uint64_t max = size_bytes == 8 ? UINT64_MAX : (uint64_t{1} << (8 * size_bytes)) - 1;
    Put(TRY(JsonUnsigned(json_, name, max)), size_bytes);
    return {};
  }

  // A number that earlier versions of the report lack: absent or null counts as zero.
  Status OptionalNumber(const char* name, size_t size_bytes) {
    if (!json_.contains(name) || json_.at(name).is_null()) {
      Put(0, size_bytes);
      return {};
    }
    return Number(name, size_bytes);
  }

  Status Bytes(const char* name, size_t size_bytes) {
    const Json* array = TRY(JsonMember(json_, name));
    if (!array->is_array() || array->size() != size_bytes) return Wrong(name, "an array of its length");
    for (const Json& value : *array) {
      if (!value.is_number_unsigned() || value.get<uint64_t>() > UINT8_MAX) return Wrong(name, "an array of bytes");
      Put(value.get<uint8_t>(), 1);
    }
    return {};
  }

  Status Tcb(const char* name) {
    const Json* tcb = TRY(JsonMember(json_, name));
    TRY(ExpectMembers(*tcb, {"fmc", "bootloader", "tee", "snp", "microcode"}));
    SnpReportWriter writer(*tcb, out_);
    bool has_fmc = tcb->contains("fmc") && !tcb->at("fmc").is_null();  // Turin and later
    if (has_fmc) TRY(writer.Number("fmc", 1));
    TRY(writer.Number("bootloader", 1));
    TRY(writer.Number("tee", 1));
    if (!has_fmc) Zeros(4);
    TRY(writer.Number("snp", 1));
    if (has_fmc) Zeros(3);
    return writer.Number("microcode", 1);
  }

  Status FirmwareVersion(const char* name) {
    const Json* version = TRY(JsonMember(json_, name));
    TRY(ExpectMembers(*version, {"major", "minor", "build"}));
    SnpReportWriter writer(*version, out_);
    TRY(writer.Number("build", 1));
    TRY(writer.Number("minor", 1));
    TRY(writer.Number("major", 1));
    Zeros(1);
    return {};
  }

  void Zeros(size_t count) { out_.resize(out_.size() + count); }
  void ZerosUpTo(size_t offset) { out_.resize(offset); }
  bool Has(const char* name) const { return json_.contains(name); }

 private:
  void Put(uint64_t value, size_t size_bytes) {
    for (size_t i = 0; i < size_bytes; ++i) out_.push_back(static_cast<std::byte>(value >> 8 * i));
  }

  const Json& json_;
  std::vector<std::byte>& out_;
};

Status WriteIdentity(SnpReportWriter& writer) {
  TRY(writer.Number("version", 4));
  TRY(writer.Number("guest_svn", 4));
  TRY(writer.Number("policy", 8));
  TRY(writer.Bytes("family_id", 16));
  TRY(writer.Bytes("image_id", 16));
  TRY(writer.Number("vmpl", 4));
  TRY(writer.Number("sig_algo", 4));
  TRY(writer.Tcb("current_tcb"));
  TRY(writer.Number("plat_info", 8));
  TRY(writer.Number(writer.Has("key_info") ? "key_info" : "_author_key_en", 4));
  writer.Zeros(4);
  return {};
}

Status WriteBody(SnpReportWriter& writer) {
  TRY(writer.Bytes("report_data", 64));
  TRY(writer.Bytes("measurement", 48));
  TRY(writer.Bytes("host_data", 32));
  TRY(writer.Bytes("id_key_digest", 48));
  TRY(writer.Bytes("author_key_digest", 48));
  TRY(writer.Bytes("report_id", 32));
  TRY(writer.Bytes("report_id_ma", 32));
  TRY(writer.Tcb("reported_tcb"));
  TRY(writer.OptionalNumber("cpuid_fam_id", 1));
  TRY(writer.OptionalNumber("cpuid_mod_id", 1));
  TRY(writer.OptionalNumber("cpuid_step", 1));
  writer.Zeros(21);
  TRY(writer.Bytes("chip_id", 64));
  TRY(writer.Tcb("committed_tcb"));
  TRY(writer.FirmwareVersion("current"));
  TRY(writer.FirmwareVersion("committed"));
  TRY(writer.Tcb("launch_tcb"));
  TRY(writer.OptionalNumber("launch_mit_vector", 8));
  return writer.OptionalNumber("current_mit_vector", 8);
}

}  // namespace

Result<std::vector<std::byte>> DecodeSnpReportJson(const Json& json) {
  TRY(ExpectMembers(json, {"version", "guest_svn", "policy", "family_id", "image_id", "vmpl", "sig_algo", "current_tcb",
                           "plat_info", "key_info", "_author_key_en", "report_data", "measurement", "host_data",
                           "id_key_digest", "author_key_digest", "report_id", "report_id_ma", "reported_tcb",
                           "cpuid_fam_id", "cpuid_mod_id", "cpuid_step", "chip_id", "committed_tcb", "current",
                           "committed", "launch_tcb", "launch_mit_vector", "current_mit_vector", "signature"}));
  std::vector<std::byte> report;
  report.reserve(kSnpReportBytes);
  SnpReportWriter writer(json, report);
  TRY(WriteIdentity(writer));
  TRY(WriteBody(writer));
  CHECK(report.size() == kMitVectorsAt + 16, "the SNP report's fields do not add up");
  writer.ZerosUpTo(kSignatureAt);
  const Json* signature = TRY(JsonMember(json, "signature"));
  TRY(ExpectMembers(*signature, {"r", "s"}));
  SnpReportWriter scalars(*signature, report);
  TRY(scalars.Bytes("r", kScalarBytes));
  TRY(scalars.Bytes("s", kScalarBytes));
  writer.ZerosUpTo(kSnpReportBytes);
  return report;
}

}  // namespace soter
