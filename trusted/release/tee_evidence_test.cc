#include "trusted/release/tee_evidence.h"

#include <gtest/gtest.h>

namespace soter {
namespace {

// A report whose byte at offset i is i modulo 251, of the given version and processor family.
std::vector<std::byte> SnpReport(uint8_t version, uint8_t family) {
  std::vector<std::byte> report(1184);
  for (size_t i = 0; i < report.size(); ++i) report[i] = static_cast<std::byte>(i % 251);
  report[0] = std::byte{version};
  report[1] = report[2] = report[3] = std::byte{0};
  report[0x188] = std::byte{family};
  return report;
}

TEST(TeeEvidence, QuotesAndDevReportsAreBase64) {
  PlatformReport report = {.report = {std::byte{1}, std::byte{2}}, .certificates = {}};
  EXPECT_EQ(DumpJson(EncodeTeeEvidence(PlatformKind::kSgx, report).value()), R"({"quote":"AQI="})");
  EXPECT_EQ(DumpJson(EncodeTeeEvidence(PlatformKind::kTdx, report).value()), R"({"quote":"AQI="})");
  EXPECT_EQ(DumpJson(EncodeTeeEvidence(PlatformKind::kDev, report).value()), R"({"report":"AQI="})");
}

TEST(TeeEvidence, SnpReportsAreTheStructureOfTheSevCrate) {
  Json json = EncodeTeeEvidence(PlatformKind::kSnp, {.report = SnpReport(3, 0x19), .certificates = {}}).value();
  EXPECT_TRUE(json["cert_chain"].is_null());
  const Json& report = json["attestation_report"];
  EXPECT_EQ(report["version"], 3);
  EXPECT_EQ(report["guest_svn"], 0x07060504);
  EXPECT_EQ(report["report_data"].size(), 64u);
  EXPECT_EQ(report["report_data"][0], 0x50);
  EXPECT_EQ(report["measurement"][47], 0xbf);
  EXPECT_EQ(report["cpuid_fam_id"], 0x19);
  EXPECT_EQ(report["signature"]["r"].size(), 72u);
  EXPECT_EQ(report["signature"]["s"][0], (0x2a0 + 72) % 251);
  EXPECT_TRUE(report["current_tcb"]["fmc"].is_null());
  EXPECT_EQ(report["current_tcb"]["bootloader"], 0x38);
  EXPECT_EQ(report["current_tcb"]["snp"], 0x3e);
  EXPECT_TRUE(report["launch_mit_vector"].is_null());
}

TEST(TeeEvidence, FieldsThatAVersionLacksAreNull) {
  Json old = EncodeTeeEvidence(PlatformKind::kSnp, {.report = SnpReport(2, 0), .certificates = {}}).value();
  EXPECT_TRUE(old["attestation_report"]["cpuid_fam_id"].is_null());
  Json turin = EncodeTeeEvidence(PlatformKind::kSnp, {.report = SnpReport(5, 0x1a), .certificates = {}}).value();
  EXPECT_EQ(turin["attestation_report"]["current_tcb"]["fmc"], 0x38);
  EXPECT_EQ(turin["attestation_report"]["current_tcb"]["snp"], 0x3b);
  EXPECT_FALSE(turin["attestation_report"]["launch_mit_vector"].is_null());
}

TEST(TeeEvidence, SnpCertificatesComeLeafFirst) {
  PlatformReport report = {.report = SnpReport(3, 0x19), .certificates = {{std::byte{1}}, {std::byte{2}}, {std::byte{3}}}};
  Json chain = EncodeTeeEvidence(PlatformKind::kSnp, report).value()["cert_chain"];
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[2]["cert_type"], "ARK");
  EXPECT_EQ(chain[0]["data"], Json({1}));
}

TEST(TeeEvidence, AnSnpReportOfAnotherLengthIsMalformed) {
  PlatformReport report = {.report = std::vector<std::byte>(1183), .certificates = {}};
  EXPECT_EQ(EncodeTeeEvidence(PlatformKind::kSnp, report).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
