// The chains that measure the CPU's limit do the arithmetic that is counted: no chain is left out, none is
// done twice, and none is dropped by the compiler.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/choice.h"

namespace crane::kernels {
namespace {

// Whole numbers that every format and every sum holds exactly.
float left_of(int64_t k) { return static_cast<float>(k % 5); }
float right_of(int64_t k) { return static_cast<float>(k % 4 - 1); }
float start_of(int64_t i) { return static_cast<float>(i % 97 - 48); }

class EveryPeak : public ::testing::TestWithParam<const PeakRow*> {
 protected:
  const PeakFace& face() const { return *GetParam()->function; }

  // Of `steps` steps from the same beginnings.
  std::vector<float> results_of(int64_t steps, const std::vector<float>& left,
                                const std::vector<float>& right) const {
    std::vector<float> results(static_cast<size_t>(face().results));
    for (size_t i = 0; i < results.size(); ++i) results[i] = start_of(static_cast<int64_t>(i));
    face().run({steps, left.data(), right.data(), results.data()});
    return results;
  }
};

TEST_P(EveryPeak, AddsTheDotProductToEveryResult) {
  std::vector<float> left(k_most_peak_depth);
  std::vector<float> right(k_most_peak_depth);
  double dot = 0;
  for (int64_t k = 0; k < k_most_peak_depth; ++k) {
    left[static_cast<size_t>(k)] = left_of(k + 1);
    right[static_cast<size_t>(k)] = right_of(k);
    if (k < face().depth) dot += static_cast<double>(left_of(k + 1)) * right_of(k);
  }
  for (const int64_t steps : {0, 1, 2, 17}) {
    const std::vector<float> results = results_of(steps, left, right);
    for (size_t i = 0; i < results.size(); ++i) {
      ASSERT_EQ(results[i], start_of(static_cast<int64_t>(i)) + static_cast<double>(steps) * dot)
          << "result " << i << " after " << steps << " steps";
    }
  }
}

// With ones for factors each result grows by one for every multiply-add that it was given.
TEST_P(EveryPeak, CountsItsOperations) {
  constexpr int64_t k_steps = 11;
  const std::vector<float> ones(k_most_peak_depth, 1.0F);
  const std::vector<float> results = results_of(k_steps, ones, ones);
  double multiply_adds = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    multiply_adds += static_cast<double>(results[i]) - start_of(static_cast<int64_t>(i));
  }
  EXPECT_EQ(static_cast<double>(k_steps * face().operations()), 2 * multiply_adds);
}

TEST_P(EveryPeak, FitsWhoeverMakesRoomForIt) {
  EXPECT_LE(face().results, k_most_peak_results);
  EXPECT_LE(face().depth, k_most_peak_depth);
}

// What this CPU cannot run is nobody's limit here.
std::vector<const PeakRow*> every_row() {
  std::vector<const PeakRow*> rows;
  for (const PeakRow& row : peaks()) {
    if (can_run(row)) rows.push_back(&row);
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Table, EveryPeak, ::testing::ValuesIn(every_row()), [](const auto& info) {
  return std::string(format_name(info.param->format)) + "_" + std::string(info.param->face);
});

TEST(Peaks, AnyCpuHasOneForFloat32) {
  bool found = false;
  for (const PeakRow& row : peaks()) found = found || (row.format == PeakFormat::float32 && can_run(row));
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace crane::kernels
