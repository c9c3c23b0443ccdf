#include <gtest/gtest.h>

#include "broker/evidence_json.h"
#include "tests/broker/snp_machine.h"

namespace soter {
namespace {

using Bytes = std::vector<std::byte>;

class SnpReportJson : public ::testing::Test {
 protected:
  SnpMachine machine_;
  Bytes raw_ = machine_.RawReport({}, Bytes(64, std::byte{0x5a}));
  Json json_ = machine_.ReportJson(raw_);
};

TEST_F(SnpReportJson, GivesTheFirmwaresBytesBack) { EXPECT_EQ(DecodeSnpReportJson(json_).value(), raw_); }

TEST_F(SnpReportJson, AnOlderTcbHasNoFmcAndAnotherLayout) {
  json_["reported_tcb"] = {{"fmc", nullptr}, {"bootloader", 3}, {"tee", 0}, {"snp", 8}, {"microcode", 115}};
  Bytes expected = {std::byte{3}, std::byte{0}, std::byte{0}, std::byte{0},
                    std::byte{0}, std::byte{0}, std::byte{8}, std::byte{115}};
  Bytes report = DecodeSnpReportJson(json_).value();
  EXPECT_EQ(Bytes(report.begin() + 0x180, report.begin() + 0x188), expected);
}

TEST_F(SnpReportJson, WhatOlderReportsLackCountsAsZero) {
  for (const char* name : {"cpuid_fam_id", "cpuid_mod_id", "cpuid_step"}) json_[name] = nullptr;
  json_.erase("launch_mit_vector");
  json_.erase("current_mit_vector");
  json_["_author_key_en"] = json_["key_info"];
  json_.erase("key_info");
  Bytes report = DecodeSnpReportJson(json_).value();
  EXPECT_EQ(Bytes(report.begin() + 0x188, report.begin() + 0x18b), Bytes(3));
  EXPECT_EQ(Bytes(report.begin() + 0x1f8, report.begin() + 0x208), Bytes(16));
}

TEST_F(SnpReportJson, EveryMemberCounts) {
  const Json good = json_;
  for (const auto& [name, value] : good.items()) {
    Json without = json_;
    without.erase(name);
    bool is_optional = name.starts_with("cpuid_") || name.ends_with("_mit_vector");
    EXPECT_EQ(DecodeSnpReportJson(without).ok(), is_optional) << name;
    Json wrong = json_;
    wrong[name] = "text";
    EXPECT_EQ(DecodeSnpReportJson(wrong).error().code, ErrorCode::kMalformed) << name;
  }
}

TEST_F(SnpReportJson, WrongLengthsNumbersAndMembersAreMalformed) {
  auto refused = [this](const char* name, const Json& value) {
    Json json = json_;
    json[name] = value;
    EXPECT_EQ(DecodeSnpReportJson(json).error().code, ErrorCode::kMalformed) << name;
  };
  refused("report_data", std::vector<int>(63));
  refused("report_data", std::vector<int>(65));
  refused("report_data", std::vector<int>(64, 256));
  refused("report_data", std::vector<int>(64, -1));
  refused("report_data", std::vector<double>(64, 0.5));
  refused("version", uint64_t{1} << 32);
  refused("version", -1);
  refused("cpuid_step", 256);
  refused("more", 1);
  refused("signature", {{"r", std::vector<int>(72)}});
  Json tcb = json_["current_tcb"];
  tcb["more"] = 0;
  refused("current_tcb", tcb);
  refused("current", {{"build", 1}, {"minor", 2}});
}

TEST(TeeEvidence, OtherFormsAreMalformed) {
  EXPECT_TRUE(DecodeTeeEvidence(PlatformKind::kSgx, {{"quote", "AAAA"}}).ok());
  EXPECT_TRUE(DecodeTeeEvidence(PlatformKind::kTdx, {{"quote", "AAAA"}, {"cc_eventlog", nullptr}}).ok());
  EXPECT_TRUE(DecodeTeeEvidence(PlatformKind::kDev, {{"report", "AAAA"}}).ok());
  for (PlatformKind kind : {PlatformKind::kSgx, PlatformKind::kTdx, PlatformKind::kDev, PlatformKind::kSnp})
    for (const Json& json : {Json(), Json(1), Json::array(), Json::object(), Json{{"quote", "A"}}, Json{{"report", 1}},
                             Json{{"quote", "AAAA"}, {"report", "AAAA"}}})
      EXPECT_EQ(DecodeTeeEvidence(kind, json).error().code, ErrorCode::kMalformed) << json;
}

}  // namespace
}  // namespace soter
