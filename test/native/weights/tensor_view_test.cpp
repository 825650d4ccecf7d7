#include "weights/tensor_view.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "error_of.h"
#include "forged_files.h"

namespace crane::weights {
namespace {

template <typename T>
TensorView view_of(const std::string& bytes, DType dtype) {
  return {"t",
          dtype,
          {static_cast<int64_t>(bytes.size() / sizeof(T))},
          reinterpret_cast<const std::byte*>(bytes.data())};
}

TEST(TensorView, FloatingTypesAreWidened) {
  const std::string f64 = values_bytes<double>({0.5, -1e300 / 1e299, 3});
  float values[3];
  copy_as_f32(view_of<double>(f64, DType::f64), values);
  EXPECT_EQ(values[0], 0.5f);
  EXPECT_EQ(values[1], -10.0f);
  const std::string bf16 = values_bytes<uint16_t>({0x3f80, 0xc000});
  copy_as_f32(view_of<uint16_t>(bf16, DType::bf16), values);
  EXPECT_EQ(values[1], -2.0f);
}

TEST(TensorView, DataNeedNotBeAligned) {
  const std::string bytes = "x" + values_bytes<float>({1.5f, 2.5f});
  const TensorView view{"t", DType::f32, {2}, reinterpret_cast<const std::byte*>(bytes.data()) + 1};
  float values[2];
  copy_as_f32(view, values);
  EXPECT_EQ(values[1], 2.5f);
}

TEST(TensorView, EveryPlaceOfAValueThatIsNotFiniteIsFound) {
  std::vector<float> values(40000, 1.0f);
  std::vector<float> copy(values.size());
  const auto check = [&](size_t at, float bad, const char* word) {
    values[at] = bad;
    const std::string bytes = values_bytes(values);
    const Thrown thrown = thrown_by([&] { copy_as_f32(view_of<float>(bytes, DType::f32), copy.data()); });
    EXPECT_EQ(thrown.code, "E_WEIGHTS_NONFINITE");
    EXPECT_TRUE(contains(thrown.message, word)) << thrown.message;
    EXPECT_TRUE(contains(thrown.message, "index " + std::to_string(at))) << thrown.message;
    values[at] = 1.0f;
  };
  for (const size_t at : {size_t{0}, size_t{1}, size_t{16383}, size_t{16384}, size_t{39999}}) {
    check(at, std::numeric_limits<float>::quiet_NaN(), "NaN");
    check(at, std::numeric_limits<float>::infinity(), "infinite");
    check(at, -std::numeric_limits<float>::infinity(), "infinite");
  }
  const std::string f16 = values_bytes<uint16_t>({0, 0x7bff, 0x7c00});
  EXPECT_EQ(thrown_by([&] { copy_as_f32(view_of<uint16_t>(f16, DType::f16), copy.data()); }).code,
            "E_WEIGHTS_NONFINITE");
  const std::string f64 = values_bytes<double>({1e39});
  EXPECT_EQ(thrown_by([&] { copy_as_f32(view_of<double>(f64, DType::f64), copy.data()); }).code,
            "E_WEIGHTS_NONFINITE");
}

TEST(TensorView, IntegersAreCopiedWhenTheyFit) {
  int32_t values[2];
  const std::string i64 = values_bytes<int64_t>({-5, INT32_MAX});
  copy_as_i32(view_of<int64_t>(i64, DType::i64), values);
  EXPECT_EQ(values[0], -5);
  EXPECT_EQ(values[1], INT32_MAX);
  const std::string too_large = values_bytes<int64_t>({int64_t{INT32_MAX} + 1});
  EXPECT_EQ(thrown_by([&] { copy_as_i32(view_of<int64_t>(too_large, DType::i64), values); }).code,
            "E_WEIGHTS_DTYPE");
  const std::string i8 = values_bytes<int8_t>({-1, 2});
  copy_as_i32(view_of<int8_t>(i8, DType::i8), values);
  EXPECT_EQ(values[0], -1);
  EXPECT_EQ(
      thrown_by([&] { copy_as_i32(view_of<float>(values_bytes<float>({1}), DType::f32), values); }).code,
      "E_WEIGHTS_DTYPE");
  float floats[2];
  EXPECT_EQ(thrown_by([&] { copy_as_f32(view_of<int8_t>(i8, DType::i8), floats); }).code, "E_WEIGHTS_DTYPE");
}

TEST(TensorView, SizesThatNoFileCanHoldAreNoticed) {
  EXPECT_EQ(checked_bytes({3, 4}, DType::f32), 48u);
  EXPECT_EQ(checked_bytes({}, DType::f64), 8u);
  EXPECT_EQ(checked_bytes({0, 5}, DType::f64), 0u);
  EXPECT_EQ(checked_bytes({-1}, DType::u8), std::nullopt);
  EXPECT_EQ(checked_bytes({INT64_MAX}, DType::u8), static_cast<size_t>(INT64_MAX));
  EXPECT_EQ(checked_bytes({INT64_MAX}, DType::f16), std::nullopt);
  EXPECT_EQ(checked_bytes({int64_t{1} << 32, int64_t{1} << 32}, DType::u8), std::nullopt);
  EXPECT_EQ(checked_bytes({int64_t{1} << 62, 4, 0}, DType::f32), std::nullopt);
  EXPECT_EQ(checked_bytes(std::vector<int64_t>(16, 1), DType::u8), 1u);
  EXPECT_EQ(checked_bytes(std::vector<int64_t>(17, 1), DType::u8), std::nullopt);
}

TEST(TensorView, NamesAreQuotedForMessages) {
  EXPECT_EQ(quote_name("a.b"), "\"a.b\"");
  EXPECT_EQ(quote_name(std::string("a\0\n\"\\", 5)), "\"a\\x00\\x0a\\\"\\\\\"");
  const std::string shown = quote_name(std::string(159, 'a') + "\xe2\x82\xac" + std::string(100, 'b'));
  EXPECT_EQ(shown, "\"" + std::string(159, 'a') + "...\"");  // never cut inside a character
}

}  // namespace
}  // namespace crane::weights
