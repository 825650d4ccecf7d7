#include "weights/json_scan.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "weights/utf8.h"

namespace crane::weights {
namespace {

std::string code_of(const std::string& text) {
  return thrown_by([&] { scan_json(text, "E_TEST", "x"); }).code;
}

TEST(JsonScan, ReadsEveryKindOfValue) {
  const JsonValue root = scan_json(
      " {\"a\" : [1, -2.5e+3, 0], \"b\":{\"c\":null,\"d\":true,\"e\":false} , \"f\":\"g\"}\n", "E_TEST", "x");
  ASSERT_EQ(root.members.size(), 3u);
  EXPECT_EQ(root.find("a")->items[0].as_integer(), 1);
  EXPECT_EQ(root.find("a")->items[1].as_double(), -2500.0);
  EXPECT_EQ(root.find("a")->items[1].as_integer(), std::nullopt);
  EXPECT_EQ(root.find("b")->find("c")->kind, JsonValue::Kind::null);
  EXPECT_TRUE(root.find("b")->find("d")->boolean);
  EXPECT_EQ(root.find("f")->text, "g");
  EXPECT_EQ(root.find("z"), nullptr);
}

TEST(JsonScan, DecodesEscapes) {
  EXPECT_EQ(scan_json(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")", "E_TEST", "x").text,
            "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(JsonScan, RefusesWhatIsNotJson) {
  const char* broken[] = {
      "",
      " ",
      "{",
      "}",
      "[",
      "]",
      "[1,]",
      "[,1]",
      "{\"a\":1,}",
      "{\"a\"}",
      "{\"a\":}",
      "{a:1}",
      "{'a':1}",
      "[1 2]",
      "tru",
      "nul",
      "True",
      "NaN",
      "Infinity",
      "-",
      "+1",
      "01",
      "1.",
      ".5",
      "1e",
      "1e+",
      "0x10",
      "--1",
      "\"",
      "\"\\\"",
      "\"\\x41\"",
      "\"\\u12\"",
      "\"\\u12g4\"",
      "\"\\ud800\"",
      "\"\\udc00\"",
      "\"\\ud800\\u0041\"",
      "\"\n\"",
      "\"\t\"",
      "1 1",
      "{} {}",
      "[1]x",
      "// c\n1",
      "/* c */1",
      "{\"a\":1 \"b\":2}",
      "[\"a\" : 1]",
      "\xef\xbb\xbf{}",
  };
  for (const char* text : broken) EXPECT_EQ(code_of(text), "E_TEST") << text;
  EXPECT_EQ(code_of(std::string("1\0", 2)), "E_TEST");
  EXPECT_EQ(code_of(std::string("\"a\0b\"", 5)), "E_TEST");
}

TEST(JsonScan, RefusesDuplicateKeysEvenIfSpelledDifferently) {
  EXPECT_EQ(code_of(R"({"a":1,"b":2,"a":3})"), "E_TEST");
  EXPECT_EQ(code_of(R"({"a":1,"\u0061":3})"), "E_TEST");
  EXPECT_EQ(code_of(R"({"a":{"a":1}})"), "");
}

TEST(JsonScan, BoundsNestingAndNumberOfValues) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(code_of(nested(17)), "");
  EXPECT_EQ(code_of(nested(18)), "E_TEST");
  EXPECT_EQ(code_of(std::string(1000000, '[')), "E_TEST");
  std::string many = "[0";
  for (int i = 0; i < 100; ++i) many += ",0";
  many += "]";
  EXPECT_EQ(thrown_by([&] { scan_json(many, "E_TEST", "x", {.max_depth = 4, .max_values = 102}); }).code, "");
  EXPECT_EQ(thrown_by([&] { scan_json(many, "E_TEST", "x", {.max_depth = 4, .max_values = 101}); }).code,
            "E_TEST");
}

TEST(JsonScan, NamesTheByteOfTheFault) {
  const Thrown thrown = thrown_by([] { scan_json("{\"a\":tru}", "E_TEST", "model.bin"); });
  EXPECT_TRUE(contains(thrown.message, "model.bin: JSON, byte 5")) << thrown.message;
}

TEST(JsonScan, IntegersThatDoNotFitAreNotIntegers) {
  EXPECT_EQ(scan_json("9223372036854775807", "E_TEST", "x").as_integer(), INT64_MAX);
  EXPECT_EQ(scan_json("9223372036854775808", "E_TEST", "x").as_integer(), std::nullopt);
  EXPECT_EQ(scan_json("1.0", "E_TEST", "x").as_integer(), std::nullopt);
  EXPECT_EQ(scan_json("1e3", "E_TEST", "x").as_integer(), std::nullopt);
}

TEST(Utf8, AcceptsWellFormedTextOnly) {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                          "\xe1\x80", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xff", "a\xfe"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace crane::weights
