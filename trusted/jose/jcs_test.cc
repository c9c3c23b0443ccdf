// RFC 8785's own examples, and that canonical text is canonical.
#include "trusted/jose/jcs.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace soter {
namespace {

std::string Canonical(std::string_view text) { return CanonicalJson(ParseJson(text).value()).value(); }

TEST(CanonicalJson, SortsMembersByUtf16LikeRfc8785Section323) {
  const char* text = R"({"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"})";
  EXPECT_EQ(Canonical(text),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\","
            "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
            "\"\U0001f600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST(CanonicalJson, EscapesLikeRfc8785Section322) {
  EXPECT_EQ(Canonical(R"({"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]})"),
            "{\"literals\":[null,true,false],\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  EXPECT_EQ(Canonical(R"("\b\t\n\f\r\u0000\u001f\u007f")"), "\"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\"");
}

TEST(CanonicalJson, WritesWholeNumbersAndNothingElseOfNumbers) {
  EXPECT_EQ(Canonical("[0, -1, 9007199254740991, -9007199254740991]"), "[0,-1,9007199254740991,-9007199254740991]");
  for (const char* text : {"1.5", "1.0", "1e2", "9007199254740992", "-9007199254740992", "18446744073709551615", "-0.0"})
    EXPECT_EQ(CanonicalJson(ParseJson(text).value()).error().code, ErrorCode::kUnsupported) << text;
}

TEST(CanonicalJson, TextThatIsNotUtf8IsMalformed) {
  for (const char* text : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_EQ(CanonicalJson(Json(text)).error().code, ErrorCode::kMalformed);
    EXPECT_EQ(CanonicalJson(Json{{text, 1}}).error().code, ErrorCode::kMalformed);
  }
}

Json AnyJson(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 6 : 4)) {
    case 0: return nullptr;
    case 1: return *rc::gen::arbitrary<bool>();
    case 2: return *rc::gen::inRange<int64_t>(-(int64_t{1} << 53) + 1, int64_t{1} << 53);
    case 3: return *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
    case 4: {
      Json array = Json::array();
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) array.push_back(AnyJson(depth - 1));
      return array;
    }
    default: {
      Json object = Json::object();
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
        object[*rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127))] = AnyJson(depth - 1);
      return object;
    }
  }
}

TEST(CanonicalJson, IsJsonOfTheSameValueAndItsOwnCanonicalText) {
  EXPECT_TRUE(rc::check([] {
    Json json = AnyJson(3);
    std::string text = CanonicalJson(json).value();
    Json again = ParseJson(text).value();
    RC_ASSERT(again == json);
    RC_ASSERT(CanonicalJson(again).value() == text);
  }));
}

}  // namespace
}  // namespace soter
