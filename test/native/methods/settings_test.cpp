#include "methods/settings.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "methods/method.h"
#include "methods/registry.h"

namespace crane::methods {
namespace {

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code() + ": " + error.what();
  }
  return "none";
}

TEST(Settings, WhatTheTableLacksStaysAsItWas) {
  const Settings settings{{"sigma", 2.5}, {"isOn", true}, {"layers", std::vector<double>{3, 7}}};
  SettingsReader read(settings);
  double sigma = 1;
  double other = 1;
  bool is_on = false;
  std::vector<int64_t> layers;
  read.number("sigma", sigma);
  read.number("other", other);
  read.flag("isOn", is_on);
  read.integers("layers", layers);
  read.finish("any");
  EXPECT_EQ(sigma, 2.5);
  EXPECT_EQ(other, 1);
  EXPECT_TRUE(is_on);
  EXPECT_EQ(layers, (std::vector<int64_t>{3, 7}));
}

TEST(Settings, AFaultNamesSettingAndValue) {
  const Settings settings{
      {"count", 2.5}, {"far", 1e12}, {"kind", "neither"}, {"list", std::vector<double>{1.5}}};
  SettingsReader read(settings);
  int64_t whole = 0;
  bool flag = false;
  std::vector<int64_t> list;
  const auto word = [&] {
    int choice = 0;
    read.word<int>("kind", choice, {{"one", 1}, {"other", 2}});
  };
  EXPECT_NE(refusal([&] { read.integer("count", whole); }).find("count is 2.5, expected a whole number"),
            std::string::npos);
  EXPECT_NE(refusal([&] { read.integer("far", whole); }).find("far is 1e+12"), std::string::npos);
  EXPECT_NE(refusal([&] { read.flag("count", flag); }).find("count: expected true or false"),
            std::string::npos);
  EXPECT_NE(refusal([&] { read.integers("list", list); }).find("list is 1.5"), std::string::npos);
  EXPECT_EQ(refusal(word), "E_MODEL_CONFIG: kind \"neither\" is none of one, other");
}

TEST(Settings, AnEntryThatNobodyReadsIsRefused) {
  const Settings settings{{"known", true}, {"knwon", true}};
  SettingsReader read(settings);
  bool known = false;
  read.flag("known", known);
  EXPECT_EQ(refusal([&] { read.finish("any"); }), "E_MODEL_CONFIG: method any has no setting \"knwon\"");
}

TEST(Registry, KnowsItsMethodsByTheirNames) {
  EXPECT_EQ(make("crane", {})->name(), "crane");
  EXPECT_EQ(refusal([] { make("crane-plus", {}); }), "E_METHOD: this engine has no method \"crane-plus\"");
  EXPECT_EQ(refusal([] { make("crane", {{"eAttn", "ww"}}); }).rfind("E_MODEL_CONFIG: eAttn \"ww\"", 0), 0u);
  EXPECT_EQ(refusal([] {
              make("crane", {{"softmean", true}});
            }),
            "E_MODEL_CONFIG: method crane has no setting \"softmean\"");
}

TEST(Registry, NoMethodDividesByATemperatureThatFloat32CannotDivideBy) {
  for (const char* method : {"crane", "winclip", "anovl", "vand", "anomalyclip", "adaclip", "both"}) {
    for (const double wrong : {0.0, -1.0, 1e-300, 9e-7, 101.0, std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()}) {
      EXPECT_EQ(refusal([&] {
                  make(method, {{"temperature", wrong}});
                }).rfind("E_MODEL_CONFIG: temperature", 0),
                0u)
          << method << " " << wrong;
    }
    EXPECT_EQ(refusal([&] { make(method, {{"temperature", 1e-6}}); }), "none") << method;
  }
}

TEST(Registry, MethodsAreTheSameByNameAndSettings) {
  const auto one = make("crane", {{"dAttn", true}});
  EXPECT_TRUE(one->is_same(*make("crane", {{"dAttn", true}})));
  EXPECT_FALSE(one->is_same(*make("crane", {{"dAttn", false}})));
}

TEST(Crane, TellsWhatTheEngineMustKnow) {
  EXPECT_EQ(make("crane", {})->facts().parts, std::vector<std::string>{"fused"});
  EXPECT_FALSE(make("crane", {})->facts().couples_pictures);
  EXPECT_TRUE(make("crane", {{"compat.batchMean", true}})->facts().couples_pictures);
  EXPECT_TRUE(make("crane", {})->facts().is_recordable);
  EXPECT_FALSE(make("crane", {{"guidanceAtTest", "pad-suffix"}})->facts().is_recordable);
  EXPECT_FALSE(make("crane", {})->facts().may_be_nan);
  EXPECT_TRUE(make("crane", {{"compat.emptyRows", "nan"}})->facts().may_be_nan);
}

}  // namespace
}  // namespace crane::methods
