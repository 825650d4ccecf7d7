#include "image/taps.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace crane::image {
namespace {

// No picture within the size limits needs more; it keeps a hostile shape from claiming gigabytes.
constexpr int64_t k_max_weights = int64_t{1} << 28;

double radius(Filter filter) { return filter == Filter::bilinear ? 1.0 : 2.0; }

// The order of operations is part of the result: weights are rounded to 22 bits afterwards.
double value(Filter filter, double x) {
  constexpr double a = -0.5;
  x = x < 0.0 ? -x : x;
  if (filter == Filter::bilinear) return x < 1.0 ? 1.0 - x : 0.0;
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// Calls store(output, weights [number]) for each output, weights summing to 1.
template <typename Store>
void each_output(TapRanges& taps, int64_t src_size, int64_t dst_size, int64_t begin, int64_t count,
                 Filter filter, Store store) {
  const double scale = static_cast<double>(src_size) / static_cast<double>(dst_size);
  const double widening = std::max(scale, 1.0);
  const double support = radius(filter) * widening;
  const double narrowing = 1.0 / widening;
  const int64_t largest = std::min(static_cast<int64_t>(std::ceil(support)) * 2 + 1, src_size);
  taps.stride = (largest + 3) / 4 * 4;
  check_input(count <= k_max_weights / taps.stride, "E_IMAGE_TOO_LARGE", "resize of ", src_size, " to ",
              dst_size, " samples needs ", taps.stride, " weights for each of ", count, " outputs, at most ",
              k_max_weights, " in all");
  taps.first.resize(static_cast<size_t>(count));
  taps.number.resize(static_cast<size_t>(count));
  std::vector<double> weights(static_cast<size_t>(taps.stride));
  for (int64_t i = 0; i < count; ++i) {
    const double centre = (static_cast<double>(begin + i) + 0.5) * scale;
    // Conversion to integer truncates towards zero, as Pillow's does.
    const int64_t first = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
    const int64_t last = std::min<int64_t>(static_cast<int64_t>(centre + support + 0.5), src_size);
    const int64_t number = last - first;
    double sum = 0.0;
    for (int64_t t = 0; t < number; ++t) {
      weights[t] = value(filter, (static_cast<double>(t + first) - centre + 0.5) * narrowing);
      sum += weights[t];
    }
    if (sum != 0.0) {
      for (int64_t t = 0; t < number; ++t) weights[t] /= sum;
    }
    taps.first[i] = static_cast<int32_t>(first);
    taps.number[i] = static_cast<int32_t>(number);
    store(i, weights.data(), number);
  }
}

int32_t to_fixed(double weight) {
  constexpr double one = 1 << FixedTaps::k_fraction_bits;
  return static_cast<int32_t>(weight < 0 ? weight * one - 0.5 : weight * one + 0.5);
}

}  // namespace

FixedTaps fixed_taps(int64_t src_size, int64_t dst_size, int64_t begin, int64_t count, Filter filter) {
  FixedTaps taps;
  each_output(taps, src_size, dst_size, begin, count, filter,
              [&](int64_t output, const double* weights, int64_t number) {
                if (output == 0) taps.halves.assign(static_cast<size_t>(count * taps.stride * 2), 0);
                int16_t* halves = taps.halves.data() + output * taps.stride * 2;
                for (int64_t t = 0; t < number; ++t) {
                  const int32_t weight = to_fixed(weights[t]);
                  int16_t* group = halves + t / 4 * 8 + t % 4;
                  group[0] = static_cast<int16_t>(weight & ((1 << FixedTaps::k_low_bits) - 1));
                  group[4] = static_cast<int16_t>(weight >> FixedTaps::k_low_bits);
                }
              });
  return taps;
}

DoubleTaps double_taps(int64_t src_size, int64_t dst_size, int64_t begin, int64_t count, Filter filter) {
  DoubleTaps taps;
  each_output(taps, src_size, dst_size, begin, count, filter,
              [&](int64_t output, const double* weights, int64_t number) {
                if (output == 0) taps.weights.assign(static_cast<size_t>(count * taps.stride), 0.0);
                std::copy_n(weights, number, taps.weights.data() + output * taps.stride);
              });
  return taps;
}

}  // namespace crane::image
