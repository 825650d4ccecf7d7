// Resampling weights of Pillow (method.md 2): which source samples make an output sample, and how much each.
#pragma once

#include <cstdint>
#include <vector>

namespace crane::image {

enum class Filter {
  bilinear,  // triangle of radius 1
  bicubic,   // Keys' cubic with a = -0.5, radius 2
};

// The source samples of `count` consecutive output samples along one axis.
struct TapRanges {
  std::vector<int32_t> first;   // [count] first source sample
  std::vector<int32_t> number;  // [count] how many samples follow it
  int64_t stride = 0;           // weights kept per output sample: the largest number, rounded up to 4

  int64_t count() const { return static_cast<int64_t>(first.size()); }
  // The source samples that any output needs: [begin(), end()).
  int64_t begin() const { return first.front(); }
  int64_t end() const { return int64_t{first.back()} + number.back(); }
};

// 8-bit pictures: weights in 22-bit fixed point, each kept as two 16-bit numbers,
// weight = high * 2^k_low_bits + low, so that 16-bit multiply-add instructions compute the exact sum.
struct FixedTaps : TapRanges {
  static constexpr int k_fraction_bits = 22;
  static constexpr int k_low_bits = 11;

  std::vector<int16_t> halves;  // [count, stride / 4, 8]: low of four taps, then high of the same four

  const int16_t* of(int64_t output) const { return halves.data() + output * stride * 2; }
  int32_t weight(int64_t output, int64_t tap) const {
    const int16_t* group = of(output) + tap / 4 * 8 + tap % 4;
    return group[4] * (1 << k_low_bits) + group[0];
  }
};

// 16-bit pictures: weights in double.
struct DoubleTaps : TapRanges {
  std::vector<double> weights;  // [count, stride]

  const double* of(int64_t output) const { return weights.data() + output * stride; }
};

// Weights of the outputs [begin, begin + count) when `src_size` samples are resized to `dst_size`.
// The filter is widened by the scale when shrinking (antialiasing). Sizes at most k_max_side.
FixedTaps fixed_taps(int64_t src_size, int64_t dst_size, int64_t begin, int64_t count, Filter filter);
DoubleTaps double_taps(int64_t src_size, int64_t dst_size, int64_t begin, int64_t count, Filter filter);

}  // namespace crane::image
