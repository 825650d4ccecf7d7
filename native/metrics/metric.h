// A figure, or why there is none.
#pragma once

#include <limits>
#include <optional>
#include <string_view>

namespace crane::metrics {

// Why a figure is undefined; the texts are part of the interface (src/metrics/result.ts).
namespace undefined {
constexpr std::string_view k_no_scores = "no image scores";
constexpr std::string_view k_no_maps = "no maps";
constexpr std::string_view k_one_label = "one label only";
constexpr std::string_view k_no_region = "no region";
constexpr std::string_view k_no_normal_pixel = "no normal pixel";
constexpr std::string_view k_constant_maps = "constant maps";
constexpr std::string_view k_infinite_score = "infinite score";
constexpr std::string_view k_few_points = "fewer than two thresholds below the limit";
constexpr std::string_view k_equal_rates = "equal false-positive rates below the limit";
constexpr std::string_view k_none_predicted = "nothing at or above the threshold";
constexpr std::string_view k_none_anomalous = "nothing anomalous";
}  // namespace undefined

struct Metric {
  std::optional<double> value;
  std::string_view reason;  // of a missing value

  static Metric of(double value) { return {value, {}}; }
  static Metric missing(std::string_view reason) { return {std::nullopt, reason}; }
};

// The best F1 over all thresholds; the highest threshold that reaches it. Something is anomalous from it
// upwards.
struct BestF1 {
  Metric f1;
  double threshold = std::numeric_limits<double>::quiet_NaN();
  double precision = std::numeric_limits<double>::quiet_NaN();
  double recall = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace crane::metrics
