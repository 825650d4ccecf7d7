// The two passes of the 8-bit resampling and their faces. Private to resample.cpp and to the test that
// compares the faces; integer arithmetic, so all faces agree bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/isa.h"
#include "image/taps.h"

namespace crane::image {

// Source rows must be readable, and rows written, this many bytes beyond their last pixel.
inline constexpr int64_t k_row_slack = 64;

struct ResampleFace {
  const char* name;
  Isa needs;

  // dst[r, x, c] = clip(round(sum over t of src[r, first[x] - origin + t, c] * weight[x, t])).
  // src: `rows` rows of `channels`-interleaved u8 whose first pixel is source pixel `origin`;
  // dst: `rows` rows of taps.count() pixels. scratch: grown as needed, contents meaningless.
  void (*horizontal)(const FixedTaps& taps, int64_t origin, const uint8_t* const* src, int64_t rows,
                     int channels, uint8_t* const* dst, std::vector<uint8_t>& scratch);

  // dst[i] = clip(round(sum over t of src[t][i] * weight[output, t])), i < length.
  // src: taps.number[output] rows.
  void (*vertical)(const FixedTaps& taps, int64_t output, const uint8_t* const* src, int64_t length,
                   uint8_t* dst);
};

// Ordered best first; the last one, "ref", is the definition.
std::span<const ResampleFace> resample_faces();

// The best face this CPU and the settings allow.
const ResampleFace& resample_face();

#if defined(__x86_64__)
void horizontal_avx2(const FixedTaps& taps, int64_t origin, const uint8_t* const* src, int64_t rows,
                     int channels, uint8_t* const* dst, std::vector<uint8_t>& scratch);
void vertical_avx2(const FixedTaps& taps, int64_t output, const uint8_t* const* src, int64_t length,
                   uint8_t* dst);
#endif

}  // namespace crane::image
