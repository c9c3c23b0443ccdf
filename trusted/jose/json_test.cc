#include "trusted/jose/json.h"

#include <gtest/gtest.h>

namespace soter {
namespace {

TEST(ParseJson, TakesWhatRfc8259Has) {
  for (const char* text : {"{}", "[]", "1", "\"x\"", " {\"a\": [1, 2.5, true, null, \"\\u20ac\"]} ", "-0"})
    EXPECT_TRUE(ParseJson(text).ok()) << text;
}

TEST(ParseJson, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "{\"a\":1,}", "{'a':1}", "// x\n1", "[1] 2", "nul", "\"\xff\"", "\"\xed\xa0\x80\"", "01",
                           "\"\n\"", "\xef\xbb\xbf{}"})
    EXPECT_EQ(ParseJson(text).error().code, ErrorCode::kMalformed) << text;
}

TEST(ParseJson, RefusesAMemberThatIsThereTwice) {
  EXPECT_FALSE(ParseJson(R"({"a": 1, "b": 2, "a": 1})").ok());
  EXPECT_FALSE(ParseJson(R"([{"b": {"a": 1, "a": 2}}])").ok());
  EXPECT_FALSE(ParseJson(R"({"a": {"a": 1}, "a": 2})").ok());
  EXPECT_FALSE(ParseJson(R"({"a": 1, "\u0061": 2})").ok());
  EXPECT_TRUE(ParseJson(R"({"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]})").ok());
}

TEST(ParseJson, RefusesDeepNesting) {
  auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(ParseJson(nested(kMaxJsonDepth)).ok());
  EXPECT_EQ(ParseJson(nested(kMaxJsonDepth + 1)).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(ParseJson(nested(1'000'000)).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(ParseJson(std::string(1'000'000, '[')).error().code, ErrorCode::kMalformed);
}

TEST(JsonReaders, NameTheMemberThatIsWrong) {
  Json json = ParseJson(R"({"text": "AQI=", "number": 7, "negative": -1, "float": 1.0, "url": "AQI"})").value();
  EXPECT_EQ(JsonText(json, "text").value(), "AQI=");
  EXPECT_EQ(JsonUnsigned(json, "number", 7).value(), 7u);
  EXPECT_EQ(JsonBytes(json, "text", Base64::kPadded)->size(), 2u);
  EXPECT_EQ(JsonBytes(json, "url", Base64::kUrl)->size(), 2u);
  auto wrong = [](const auto& result, const char* name) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kMalformed);
    EXPECT_NE(result.error().message.find(name), std::string::npos) << result.error().message;
  };
  wrong(JsonText(json, "number"), "number");
  wrong(JsonText(json, "absent"), "absent");
  wrong(JsonText(Json::array(), "absent"), "object");
  wrong(JsonUnsigned(json, "number", 6), "number");
  wrong(JsonUnsigned(json, "negative", 6), "negative");
  wrong(JsonUnsigned(json, "float", 6), "float");
  wrong(JsonBytes(json, "text", Base64::kUrl), "text");
  wrong(JsonBytes(json, "url", Base64::kPadded), "url");
}

TEST(ExpectMembers, RefusesOthers) {
  Json json = {{"a", 1}, {"b", 2}};
  EXPECT_TRUE(ExpectMembers(json, {"a", "b", "c"}).ok());
  EXPECT_EQ(ExpectMembers(json, {"a", "c"}).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(ExpectMembers(Json(1), {"a"}).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
