#include "image/resample16.h"

#include <algorithm>

#include "kernels/choice.h"

#if defined(__x86_64__)
#define CRANE_AVX2 __attribute__((target("avx2")))
#else
#define CRANE_AVX2
#endif
#define CRANE_INLINE __attribute__((always_inline)) inline

namespace crane::image {
namespace {

// Rounds and clips as Pillow 13 does (earlier ones kept the low byte of what they clipped).
CRANE_INLINE uint16_t to_u16(double sum) {
  return static_cast<uint16_t>(std::clamp(static_cast<int32_t>(sum + 0.5), 0, 65535));
}

// side_by_side: [source pixels, k_rows_16].
CRANE_INLINE void horizontal_body(const DoubleTaps& taps, int64_t origin, const double* side_by_side,
                                  int64_t rows, uint16_t* const* dst) {
  for (int64_t x = 0; x < taps.count(); ++x) {
    const double* weights = taps.of(x);
    const double* pixels = side_by_side + (taps.first[x] - origin) * k_rows_16;
    double sums[k_rows_16] = {};
    for (int64_t t = 0; t < taps.number[x]; ++t) {
      for (int64_t row = 0; row < k_rows_16; ++row) sums[row] += pixels[t * k_rows_16 + row] * weights[t];
    }
    for (int64_t row = 0; row < rows; ++row) dst[row][x] = to_u16(sums[row]);
  }
}

CRANE_INLINE void vertical_body(const DoubleTaps& taps, int64_t output, const uint16_t* const* src,
                                int64_t length, uint16_t* dst) {
  constexpr int64_t k_block = 64;
  const double* weights = taps.of(output);
  for (int64_t begin = 0; begin < length; begin += k_block) {
    const int64_t size = std::min(k_block, length - begin);
    double sums[k_block] = {};
    for (int64_t t = 0; t < taps.number[output]; ++t) {
      const uint16_t* row = src[t] + begin;
      for (int64_t i = 0; i < size; ++i) sums[i] += static_cast<int32_t>(row[i]) * weights[t];
    }
    for (int64_t i = 0; i < size; ++i) dst[begin + i] = to_u16(sums[i]);
  }
}

// The same code compiled twice. AVX2 without FMA: every product is rounded before it is added, in both.
CRANE_AVX2 void horizontal_avx2(const DoubleTaps& taps, int64_t origin, const double* side_by_side,
                                int64_t rows, uint16_t* const* dst) {
  horizontal_body(taps, origin, side_by_side, rows, dst);
}

CRANE_AVX2 void vertical_avx2(const DoubleTaps& taps, int64_t output, const uint16_t* const* src,
                              int64_t length, uint16_t* dst) {
  vertical_body(taps, output, src, length, dst);
}

}  // namespace

void horizontal_16(const DoubleTaps& taps, int64_t origin, const uint16_t* const* src, int64_t rows,
                   uint16_t* const* dst, std::vector<double>& scratch) {
  const int64_t pixels = taps.end() - origin;
  scratch.assign(static_cast<size_t>(pixels * k_rows_16), 0.0);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < pixels; ++i) scratch[i * k_rows_16 + row] = src[row][i];
  }
  if (kernels::may_use(Isa::avx2)) {
    horizontal_avx2(taps, origin, scratch.data(), rows, dst);
  } else {
    horizontal_body(taps, origin, scratch.data(), rows, dst);
  }
}

void vertical_16(const DoubleTaps& taps, int64_t output, const uint16_t* const* src, int64_t length,
                 uint16_t* dst) {
  if (kernels::may_use(Isa::avx2)) {
    vertical_avx2(taps, output, src, length, dst);
  } else {
    vertical_body(taps, output, src, length, dst);
  }
}

}  // namespace crane::image
