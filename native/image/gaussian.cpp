#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "image/map.h"
#include "image/picture.h"
#include "kernels/choice.h"

#if defined(__x86_64__)
#define CRANE_AVX2 __attribute__((target("avx2")))
#else
#define CRANE_AVX2
#endif
#define CRANE_INLINE __attribute__((always_inline)) inline

namespace crane::image {
namespace {

constexpr double k_truncate = 4.0;

// The sum of numpy: eight running sums up to 128 values, halves beyond. The order decides the last bit.
double pairwise_sum(const double* values, int64_t count) {
  if (count < 8) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; ++i) sum += values[i];
    return sum;
  }
  if (count > 128) {
    const int64_t half = count / 2 / 8 * 8;
    return pairwise_sum(values, half) + pairwise_sum(values + half, count - half);
  }
  double sums[8];
  std::copy_n(values, 8, sums);
  int64_t i = 8;
  for (; i + 8 <= count; i += 8) {
    for (int64_t lane = 0; lane < 8; ++lane) sums[lane] += values[i + lane];
  }
  double sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (; i < count; ++i) sum += values[i];
  return sum;
}

// Position `index` of a line continued by mirror images that repeat the edge sample: b a | a b c | c b.
int64_t reflected(int64_t index, int64_t size) {
  const int64_t period = 2 * size;
  const int64_t place = ((index % period) + period) % period;
  return place < size ? place : period - 1 - place;
}

// Sums of this many samples stay in registers. A line is covered by blocks of that size, the last one moved
// back to end at the border (what it repeats comes out the same), or by single samples where it is shorter.
constexpr int64_t k_block = 16;

// In both passes the order of the additions is the centre, then from the farthest pair to the nearest, as the
// reference adds them.

// dst[x] = sum over j of (before[j][x] + after[j][x]) * weight[j], with before[0] = after[0] the row itself.
template <int64_t k_size>
CRANE_INLINE void column_block(const float* const* before, const float* const* after, const double* weights,
                               int64_t radius, int64_t x, double* dst) {
  double sums[k_size];
  for (int64_t i = 0; i < k_size; ++i) sums[i] = static_cast<double>(before[0][x + i]) * weights[0];
  for (int64_t j = radius; j >= 1; --j) {
    const float* a = before[j] + x;
    const float* b = after[j] + x;
    for (int64_t i = 0; i < k_size; ++i) {
      sums[i] += (static_cast<double>(a[i]) + static_cast<double>(b[i])) * weights[j];
    }
  }
  // Rounded to float32 between the two axes.
  for (int64_t i = 0; i < k_size; ++i) dst[x + i] = static_cast<double>(static_cast<float>(sums[i]));
}

CRANE_INLINE void column_body(const float* const* before, const float* const* after, const double* weights,
                              int64_t radius, int64_t width, double* dst) {
  if (width < k_block) {
    for (int64_t x = 0; x < width; ++x) column_block<1>(before, after, weights, radius, x, dst);
    return;
  }
  for (int64_t x = 0; x < width; x += k_block) {
    column_block<k_block>(before, after, weights, radius, std::min(x, width - k_block), dst);
  }
}

// middle: [width], continued by `radius` samples at both ends. dst: [width].
template <int64_t k_size>
CRANE_INLINE void row_block(const double* middle, const double* weights, int64_t radius, int64_t x,
                            float* dst) {
  double sums[k_size];
  const double* centre = middle + x;
  for (int64_t i = 0; i < k_size; ++i) sums[i] = centre[i] * weights[0];
  for (int64_t j = radius; j >= 1; --j) {
    for (int64_t i = 0; i < k_size; ++i) sums[i] += (centre[i - j] + centre[i + j]) * weights[j];
  }
  for (int64_t i = 0; i < k_size; ++i) dst[x + i] = static_cast<float>(sums[i]);
}

CRANE_INLINE void row_body(const double* middle, const double* weights, int64_t radius, int64_t width,
                           float* dst) {
  if (width < k_block) {
    for (int64_t x = 0; x < width; ++x) row_block<1>(middle, weights, radius, x, dst);
    return;
  }
  for (int64_t x = 0; x < width; x += k_block) {
    row_block<k_block>(middle, weights, radius, std::min(x, width - k_block), dst);
  }
}

// The same code compiled twice. AVX2 without FMA: every product is rounded before it is added, in both.
CRANE_AVX2 void column_avx2(const float* const* before, const float* const* after, const double* weights,
                            int64_t radius, int64_t width, double* dst) {
  column_body(before, after, weights, radius, width, dst);
}

CRANE_AVX2 void row_avx2(const double* middle, const double* weights, int64_t radius, int64_t width,
                         float* dst) {
  row_body(middle, weights, radius, width, dst);
}

}  // namespace

std::vector<double> gaussian_weights(double sigma) {
  check_input(std::isfinite(sigma) && sigma >= 0.0 && sigma <= k_max_sigma, "E_USAGE", "sigma: got ", sigma,
              ", expected a number from 0 to ", k_max_sigma, " pixels");
  if (sigma <= 1e-15) return {1.0};  // where the reference, too, stops filtering
  const int64_t radius = static_cast<int64_t>(k_truncate * sigma + 0.5);
  std::vector<double> weights(static_cast<size_t>(2 * radius + 1));
  const double factor = -0.5 / (sigma * sigma);
  for (int64_t i = -radius; i <= radius; ++i) {
    weights[i + radius] = std::exp(factor * static_cast<double>(i * i));
  }
  const double sum = pairwise_sum(weights.data(), 2 * radius + 1);
  for (double& weight : weights) weight /= sum;
  return {weights.begin() + radius, weights.end()};
}

void gaussian_blur(const float* src, int64_t width, int64_t height, double sigma, float* dst) {
  check_size("map", width, height);
  const std::vector<double> weights = gaussian_weights(sigma);
  const int64_t radius = static_cast<int64_t>(weights.size()) - 1;
  if (radius == 0) {
    std::memcpy(dst, src, static_cast<size_t>(width * height) * sizeof(float));
    return;
  }
  const bool avx2 = kernels::may_use(Isa::avx2);
  std::vector<const float*> before(static_cast<size_t>(radius + 1));
  std::vector<const float*> after(static_cast<size_t>(radius + 1));
  std::vector<double> line(static_cast<size_t>(width + 2 * radius));
  double* middle = line.data() + radius;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t j = 0; j <= radius; ++j) {
      before[j] = src + reflected(y - j, height) * width;
      after[j] = src + reflected(y + j, height) * width;
    }
    (avx2 ? column_avx2 : column_body)(before.data(), after.data(), weights.data(), radius, width, middle);
    for (int64_t j = 1; j <= radius; ++j) {
      middle[-j] = middle[reflected(-j, width)];
      middle[width - 1 + j] = middle[reflected(width - 1 + j, width)];
    }
    (avx2 ? row_avx2 : row_body)(middle, weights.data(), radius, width, dst + y * width);
  }
}

}  // namespace crane::image
