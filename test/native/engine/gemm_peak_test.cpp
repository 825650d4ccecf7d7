#include "engine/gemm_peak.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace crane {
namespace {

class EachPrecision : public testing::TestWithParam<Precision> {};

TEST_P(EachPrecision, AProductTakesSomeTime) {
  const GemmTime time = time_gemm({/*size=*/512, /*repeats=*/3, GetParam(), "cpu"});
  EXPECT_TRUE(std::isfinite(time.seconds));
  EXPECT_GT(time.seconds, 0);
  EXPECT_GT(time.cpu_seconds, 0);
}

INSTANTIATE_TEST_SUITE_P(GemmPeak, EachPrecision,
                         testing::Values(Precision::float32, Precision::bfloat16, Precision::float16),
                         [](const auto& test) { return std::string(precision_name(test.param)); });

std::string code_of(const GemmRequest& request) {
  try {
    time_gemm(request);
    return "none";
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(GemmPeak, RefusesWhatIsNoProduct) {
  EXPECT_EQ(code_of({/*size=*/0, /*repeats=*/1, Precision::float32, "cpu"}), "E_USAGE");
  EXPECT_EQ(code_of({/*size=*/1 << 20, /*repeats=*/1, Precision::float32, "cpu"}), "E_USAGE");
  EXPECT_EQ(code_of({/*size=*/8, /*repeats=*/0, Precision::float32, "cpu"}), "E_USAGE");
  EXPECT_EQ(code_of({/*size=*/8, /*repeats=*/1, Precision::float32, "abacus"}), "E_DEVICE");
}

}  // namespace
}  // namespace crane
