#include "tests/broker/snp_machine.h"

#include <algorithm>
#include <cstring>

namespace soter {
namespace {

uint64_t Tcb(uint8_t firmware) { return 0x4800000000020301 | uint64_t{firmware} << 24; }  // Turin's layout

Json Bytes(ByteView raw, size_t offset, size_t size_bytes) {
  Json array = Json::array();
  for (std::byte byte : raw.subspan(offset, size_bytes)) array.push_back(std::to_integer<unsigned>(byte));
  return array;
}

template <typename T>
Json Number(ByteView raw, size_t offset) {
  T value;
  std::memcpy(&value, raw.data() + offset, sizeof(value));
  return uint64_t{value};
}

Json TcbJson(ByteView raw, size_t offset) {
  auto at = [&](size_t i) { return Number<uint8_t>(raw, offset + i); };
  return {{"fmc", at(0)}, {"bootloader", at(1)}, {"tee", at(2)}, {"snp", at(3)}, {"microcode", at(7)}};
}

Json VersionJson(ByteView raw, size_t offset) {
  auto at = [&](size_t i) { return Number<uint8_t>(raw, offset + i); };
  return {{"build", at(0)}, {"minor", at(1)}, {"major", at(2)}};
}

Json CertificateJson(const char* type, const Certificate& certificate) {
  std::vector<std::byte> der = certificate.ToDer();
  return {{"cert_type", type}, {"data", Bytes(der, 0, der.size())}};
}

}  // namespace

SnpMachine::SnpMachine() : anchors_{.amd = {}, .intel = {}} {
  Certificate ark = Issue({.name = "ARK-Turin", .issuer_name = "ARK-Turin", .is_ca = true}, ark_, ark_);
  anchors_.amd = {{SnpLine::kTurin, ark.PublicKeyDigest()}};
}

std::vector<std::byte> SnpMachine::RawReport(const Guest& guest, ByteView report_data) const {
  std::vector<std::byte> report(kSnpReportBytes);
  auto put = [&](size_t offset, auto value) { std::memcpy(report.data() + offset, &value, sizeof(value)); };
  put(0x00, uint32_t{5}), put(0x04, uint32_t{3}), put(0x08, guest.policy), put(0x30, uint32_t{guest.vmpl});
  put(0x34, uint32_t{1}), put(0x38, Tcb(guest.firmware)), put(0x40, uint64_t{0x25});
  std::ranges::copy(report_data, report.begin() + 0x50);
  std::memset(report.data() + 0x90, guest.measurement, 48);
  for (size_t i = 0xc0; i < 0x180; ++i) report[i] = static_cast<std::byte>(i);  // host data to report_id_ma
  put(0x180, Tcb(guest.firmware)), put(0x188, uint8_t{0x1a}), put(0x189, uint8_t{0x02}), put(0x18a, uint8_t{0x01});
  std::memset(report.data() + 0x1a0, 0xab, 8);
  put(0x1e0, Tcb(guest.firmware)), put(0x1e8, uint32_t{0x013704}), put(0x1ec, uint32_t{0x013603});
  put(0x1f0, Tcb(guest.firmware)), put(0x1f8, uint64_t{7}), put(0x200, uint64_t{9});
  std::vector<std::byte> signature = leaf_.Sign(ByteView(report).first(0x2a0));
  std::reverse_copy(signature.begin(), signature.begin() + 48, report.begin() + 0x2a0);
  std::reverse_copy(signature.begin() + 48, signature.end(), report.begin() + 0x2e8);
  return report;
}

Json SnpMachine::ReportJson(ByteView raw) const {
  return {{"version", Number<uint32_t>(raw, 0x00)},
          {"guest_svn", Number<uint32_t>(raw, 0x04)},
          {"policy", Number<uint64_t>(raw, 0x08)},
          {"family_id", Bytes(raw, 0x10, 16)},
          {"image_id", Bytes(raw, 0x20, 16)},
          {"vmpl", Number<uint32_t>(raw, 0x30)},
          {"sig_algo", Number<uint32_t>(raw, 0x34)},
          {"current_tcb", TcbJson(raw, 0x38)},
          {"plat_info", Number<uint64_t>(raw, 0x40)},
          {"key_info", Number<uint32_t>(raw, 0x48)},
          {"report_data", Bytes(raw, 0x50, 64)},
          {"measurement", Bytes(raw, 0x90, 48)},
          {"host_data", Bytes(raw, 0xc0, 32)},
          {"id_key_digest", Bytes(raw, 0xe0, 48)},
          {"author_key_digest", Bytes(raw, 0x110, 48)},
          {"report_id", Bytes(raw, 0x140, 32)},
          {"report_id_ma", Bytes(raw, 0x160, 32)},
          {"reported_tcb", TcbJson(raw, 0x180)},
          {"cpuid_fam_id", Number<uint8_t>(raw, 0x188)},
          {"cpuid_mod_id", Number<uint8_t>(raw, 0x189)},
          {"cpuid_step", Number<uint8_t>(raw, 0x18a)},
          {"chip_id", Bytes(raw, 0x1a0, 64)},
          {"committed_tcb", TcbJson(raw, 0x1e0)},
          {"current", VersionJson(raw, 0x1e8)},
          {"committed", VersionJson(raw, 0x1ec)},
          {"launch_tcb", TcbJson(raw, 0x1f0)},
          {"launch_mit_vector", Number<uint64_t>(raw, 0x1f8)},
          {"current_mit_vector", Number<uint64_t>(raw, 0x200)},
          {"signature", {{"r", Bytes(raw, 0x2a0, 72)}, {"s", Bytes(raw, 0x2e8, 72)}}}};
}

Json SnpMachine::Evidence(const Guest& guest, ByteView report_data) const {
  Certificate ark = Issue({.name = "ARK-Turin", .issuer_name = "ARK-Turin", .is_ca = true}, ark_, ark_);
  Certificate ask = Issue({.name = "SEV-Turin", .issuer_name = "ARK-Turin", .is_ca = true, .serial = 7}, ask_, ark_);
  Certificate leaf = Issue({.name = "SEV-VCEK",
                            .issuer_name = "SEV-Turin",
                            .extensions = {{"1.3.6.1.4.1.3704.1.2", Der(0x16, AsBytes("Turin-B0"))},
                                           {"1.3.6.1.4.1.3704.1.3.1", DerInteger(3)},
                                           {"1.3.6.1.4.1.3704.1.3.2", DerInteger(2)},
                                           {"1.3.6.1.4.1.3704.1.3.3", DerInteger(guest.firmware)},
                                           {"1.3.6.1.4.1.3704.1.3.8", DerInteger(0x48)},
                                           {"1.3.6.1.4.1.3704.1.3.9", DerInteger(1)},
                                           {"1.3.6.1.4.1.3704.1.4", std::vector<std::byte>(8, std::byte{0xab})}}},
                           leaf_, ask_);
  return {{"attestation_report", ReportJson(RawReport(guest, report_data))},
          {"cert_chain", {CertificateJson("VCEK", leaf), CertificateJson("ASK", ask), CertificateJson("ARK", ark)}}};
}

}  // namespace soter
