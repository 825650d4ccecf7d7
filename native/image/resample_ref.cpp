// The definition of the 8-bit passes, and the list of faces.
#include <algorithm>

#include "image/resample_faces.h"
#include "kernels/choice.h"

namespace crane::image {
namespace {

constexpr int32_t k_half = 1 << (FixedTaps::k_fraction_bits - 1);

uint8_t to_u8(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> FixedTaps::k_fraction_bits, 0, 255));
}

template <int k_channels>
void horizontal_channels(const FixedTaps& taps, int64_t origin, const uint8_t* const* src, int64_t rows,
                         uint8_t* const* dst, int32_t* weights) {
  for (int64_t x = 0; x < taps.count(); ++x) {
    const int64_t number = taps.number[x];
    const int64_t first = taps.first[x] - origin;
    for (int64_t t = 0; t < number; ++t) weights[t] = taps.weight(x, t);
    for (int64_t row = 0; row < rows; ++row) {
      int32_t sums[k_channels];
      std::fill_n(sums, k_channels, k_half);
      const uint8_t* pixels = src[row] + first * k_channels;
      for (int64_t t = 0; t < number; ++t) {
        for (int c = 0; c < k_channels; ++c) sums[c] += pixels[t * k_channels + c] * weights[t];
      }
      for (int c = 0; c < k_channels; ++c) dst[row][x * k_channels + c] = to_u8(sums[c]);
    }
  }
}

void horizontal_ref(const FixedTaps& taps, int64_t origin, const uint8_t* const* src, int64_t rows,
                    int channels, uint8_t* const* dst, std::vector<uint8_t>& scratch) {
  scratch.resize(static_cast<size_t>(taps.stride) * sizeof(int32_t));
  int32_t* weights = reinterpret_cast<int32_t*>(scratch.data());
  switch (channels) {
    case 1:
      return horizontal_channels<1>(taps, origin, src, rows, dst, weights);
    case 2:
      return horizontal_channels<2>(taps, origin, src, rows, dst, weights);
    case 3:
      return horizontal_channels<3>(taps, origin, src, rows, dst, weights);
    default:
      return horizontal_channels<4>(taps, origin, src, rows, dst, weights);
  }
}

// Blocks of sums stay in registers or the first cache level, and the inner loop vectorises.
void vertical_ref(const FixedTaps& taps, int64_t output, const uint8_t* const* src, int64_t length,
                  uint8_t* dst) {
  constexpr int64_t k_block = 256;
  for (int64_t begin = 0; begin < length; begin += k_block) {
    const int64_t size = std::min(k_block, length - begin);
    int32_t sums[k_block];
    std::fill_n(sums, size, k_half);
    for (int64_t t = 0; t < taps.number[output]; ++t) {
      const int32_t weight = taps.weight(output, t);
      const uint8_t* row = src[t] + begin;
      for (int64_t i = 0; i < size; ++i) sums[i] += row[i] * weight;
    }
    for (int64_t i = 0; i < size; ++i) dst[begin + i] = to_u8(sums[i]);
  }
}

constexpr ResampleFace k_faces[] = {
#if defined(__x86_64__)
    {"avx2", Isa::avx2, horizontal_avx2, vertical_avx2},
#endif
    {"ref", Isa::none, horizontal_ref, vertical_ref},
};

}  // namespace

std::span<const ResampleFace> resample_faces() { return k_faces; }

const ResampleFace& resample_face() {
  const auto is_usable = [](const ResampleFace& face) { return kernels::may_use(face.needs); };
  return *std::find_if(std::begin(k_faces), std::end(k_faces) - 1, is_usable);
}

}  // namespace crane::image
