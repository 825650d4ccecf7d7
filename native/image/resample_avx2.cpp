// AVX2 face of the 8-bit passes. Only these functions are compiled for AVX2; the caller has asked the CPU.
//
// A weight is high * 2^11 + low with both parts in 16 bits, so one vpmaddwd multiplies and adds two taps
// exactly; the two sums are joined once at the end, modulo 2^32 like the plain sum they equal.
#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "image/resample_faces.h"

#define CRANE_AVX2 __attribute__((target("avx2")))
#define CRANE_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace crane::image {
namespace {

constexpr int64_t k_lines = 4;  // lines a weight is used for once it is loaded

// For four source pixels of `bytes` bytes each (3 or 4): lane 0 holds [p0 p1] pairs of each channel, lane 1
// [p2 p3], widened to 16 bits. With 3 bytes the fourth channel is zero.
CRANE_AVX2_INLINE __m256i pairs_of_pixels(int bytes) {
  const char z = static_cast<char>(0x80);
  if (bytes == 3) {
    return _mm256_setr_epi8(0, z, 3, z, 1, z, 4, z, 2, z, 5, z, z, z, z, z,  //
                            6, z, 9, z, 7, z, 10, z, 8, z, 11, z, z, z, z, z);
  }
  return _mm256_setr_epi8(0, z, 4, z, 1, z, 5, z, 2, z, 6, z, 3, z, 7, z,  //
                          8, z, 12, z, 9, z, 13, z, 10, z, 14, z, 11, z, 15, z);
}

CRANE_AVX2_INLINE __m128i load_4_bytes_each(const uint8_t* a) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
}

CRANE_AVX2_INLINE __m128i joined(__m256i low, __m256i high) {
  const __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, FixedTaps::k_low_bits));
  const __m128i all = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  const __m128i half = _mm_set1_epi32(1 << (FixedTaps::k_fraction_bits - 1));
  return _mm_srai_epi32(_mm_add_epi32(all, half), FixedTaps::k_fraction_bits);
}

// Four lines of pixels of k_bytes bytes (3, or 4 unrelated channels). Each dst pixel takes k_bytes bytes,
// 4 bytes are written: dst needs one byte of slack.
template <int k_bytes>
CRANE_AVX2 void four_lines(const FixedTaps& taps, int64_t origin, const uint8_t* const* src,
                           uint8_t* const* dst) {
  const __m256i pairs = pairs_of_pixels(k_bytes);
  const __m256i low_pairs = _mm256_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,  //
                                             4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
  const __m256i high_pairs = _mm256_add_epi8(low_pairs, _mm256_set1_epi8(8));
  for (int64_t x = 0; x < taps.count(); ++x) {
    const int16_t* halves = taps.of(x);
    const int64_t offset = (taps.first[x] - origin) * k_bytes;
    const int64_t groups = (taps.number[x] + 3) / 4;
    __m256i low[k_lines];
    __m256i high[k_lines];
    for (int64_t line = 0; line < k_lines; ++line) low[line] = high[line] = _mm256_setzero_si256();
    for (int64_t group = 0; group < groups; ++group) {
      const __m256i weights =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + group * 8)));
      const __m256i low_weights = _mm256_shuffle_epi8(weights, low_pairs);
      const __m256i high_weights = _mm256_shuffle_epi8(weights, high_pairs);
      for (int64_t line = 0; line < k_lines; ++line) {
        const __m256i pixels = _mm256_shuffle_epi8(
            _mm256_broadcastsi128_si256(load_4_bytes_each(src[line] + offset + group * 4 * k_bytes)), pairs);
        low[line] = _mm256_add_epi32(low[line], _mm256_madd_epi16(pixels, low_weights));
        high[line] = _mm256_add_epi32(high[line], _mm256_madd_epi16(pixels, high_weights));
      }
    }
    const __m128i first_two = _mm_packs_epi32(joined(low[0], high[0]), joined(low[1], high[1]));
    const __m128i last_two = _mm_packs_epi32(joined(low[2], high[2]), joined(low[3], high[3]));
    const __m128i bytes = _mm_packus_epi16(first_two, last_two);
    const uint32_t pixels[k_lines] = {static_cast<uint32_t>(_mm_extract_epi32(bytes, 0)),
                                      static_cast<uint32_t>(_mm_extract_epi32(bytes, 1)),
                                      static_cast<uint32_t>(_mm_extract_epi32(bytes, 2)),
                                      static_cast<uint32_t>(_mm_extract_epi32(bytes, 3))};
    for (int64_t line = 0; line < k_lines; ++line) std::memcpy(dst[line] + x * k_bytes, &pixels[line], 4);
  }
}

// Lines of 4-byte pixels from rows of 1 or 2 channels: 4 grey rows, or 2 rows with alpha, side by side.
void interleave(const uint8_t* const* rows, int channels, int64_t pixels, uint8_t* line) {
  if (channels == 1) {
    for (int64_t i = 0; i < pixels; ++i, line += 4) {
      line[0] = rows[0][i];
      line[1] = rows[1][i];
      line[2] = rows[2][i];
      line[3] = rows[3][i];
    }
    return;
  }
  for (int64_t i = 0; i < pixels; ++i, line += 4) {
    std::memcpy(line, rows[0] + 2 * i, 2);
    std::memcpy(line + 2, rows[1] + 2 * i, 2);
  }
}

void split(const uint8_t* line, int channels, int64_t pixels, uint8_t* const* rows) {
  if (channels == 1) {
    for (int64_t i = 0; i < pixels; ++i, line += 4) {
      rows[0][i] = line[0];
      rows[1][i] = line[1];
      rows[2][i] = line[2];
      rows[3][i] = line[3];
    }
    return;
  }
  for (int64_t i = 0; i < pixels; ++i, line += 4) {
    std::memcpy(rows[0] + 2 * i, line, 2);
    std::memcpy(rows[1] + 2 * i, line + 2, 2);
  }
}

// 16 or 8 rows of 1 or 2 channels at once, as four lines of 4-byte pixels. A repeated row is written twice.
void narrow_rows(const FixedTaps& taps, int64_t origin, const uint8_t* const* src, int channels,
                 uint8_t* const* dst, std::vector<uint8_t>& scratch) {
  const int64_t rows_a_line = 4 / channels;
  const int64_t src_bytes = (taps.end() - origin) * 4 + k_row_slack;
  const int64_t dst_bytes = taps.count() * 4 + k_row_slack;
  scratch.resize(static_cast<size_t>(k_lines * (src_bytes + dst_bytes)));
  const uint8_t* src_lines[k_lines];
  uint8_t* dst_lines[k_lines];
  for (int64_t line = 0; line < k_lines; ++line) {
    uint8_t* src_line = scratch.data() + line * src_bytes;
    interleave(src + line * rows_a_line, channels, taps.end() - origin, src_line);
    src_lines[line] = src_line;
    dst_lines[line] = scratch.data() + k_lines * src_bytes + line * dst_bytes;
  }
  four_lines<4>(taps, origin, src_lines, dst_lines);
  for (int64_t line = 0; line < k_lines; ++line) {
    split(dst_lines[line], channels, taps.count(), dst + line * rows_a_line);
  }
}

}  // namespace

CRANE_AVX2 void horizontal_avx2(const FixedTaps& taps, int64_t origin, const uint8_t* const* src,
                                int64_t rows, int channels, uint8_t* const* dst,
                                std::vector<uint8_t>& scratch) {
  const int64_t batch = channels >= 3 ? k_lines : k_lines * 4 / channels;
  for (int64_t begin = 0; begin < rows; begin += batch) {
    // A short last batch repeats its last row, which then is computed and written more than once.
    const uint8_t* src_rows[16] = {};
    uint8_t* dst_rows[16] = {};
    for (int64_t i = 0; i < batch; ++i) {
      src_rows[i] = src[std::min(begin + i, rows - 1)];
      dst_rows[i] = dst[std::min(begin + i, rows - 1)];
    }
    if (channels == 3) {
      four_lines<3>(taps, origin, src_rows, dst_rows);
    } else if (channels == 4) {
      four_lines<4>(taps, origin, src_rows, dst_rows);
    } else {
      narrow_rows(taps, origin, src_rows, channels, dst_rows, scratch);
    }
  }
}

CRANE_AVX2 void vertical_avx2(const FixedTaps& taps, int64_t output, const uint8_t* const* src,
                              int64_t length, uint8_t* dst) {
  const int64_t number = taps.number[output];
  const int16_t* halves = taps.of(output);
  const __m256i half = _mm256_set1_epi32(1 << (FixedTaps::k_fraction_bits - 1));
  for (int64_t begin = 0; begin < length; begin += 32) {
    __m256i low[4];
    __m256i high[4];
    for (int part = 0; part < 4; ++part) low[part] = high[part] = _mm256_setzero_si256();
    for (int64_t t = 0; t < number; t += 2) {
      const int16_t* group = halves + t / 4 * 8 + t % 4;
      int32_t pair[2];
      std::memcpy(&pair[0], group, 4);
      std::memcpy(&pair[1], group + 4, 4);
      const __m256i low_weights = _mm256_set1_epi32(pair[0]);
      const __m256i high_weights = _mm256_set1_epi32(pair[1]);
      const uint8_t* second = src[std::min(t + 1, number - 1)] + begin;  // weight 0 beyond the last tap
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src[t] + begin));
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(second));
      const __m256i zero = _mm256_setzero_si256();
      // Unpacking works within 128-bit lanes; packing below undoes exactly that order.
      const __m256i ab_low = _mm256_unpacklo_epi8(a, b);
      const __m256i ab_high = _mm256_unpackhi_epi8(a, b);
      const __m256i pairs[4] = {_mm256_unpacklo_epi8(ab_low, zero), _mm256_unpackhi_epi8(ab_low, zero),
                                _mm256_unpacklo_epi8(ab_high, zero), _mm256_unpackhi_epi8(ab_high, zero)};
      for (int part = 0; part < 4; ++part) {
        low[part] = _mm256_add_epi32(low[part], _mm256_madd_epi16(pairs[part], low_weights));
        high[part] = _mm256_add_epi32(high[part], _mm256_madd_epi16(pairs[part], high_weights));
      }
    }
    __m256i sums[4];
    for (int part = 0; part < 4; ++part) {
      sums[part] = _mm256_add_epi32(low[part], _mm256_slli_epi32(high[part], FixedTaps::k_low_bits));
      sums[part] = _mm256_srai_epi32(_mm256_add_epi32(sums[part], half), FixedTaps::k_fraction_bits);
    }
    const __m256i bytes =
        _mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]), _mm256_packs_epi32(sums[2], sums[3]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + begin), bytes);
  }
}

}  // namespace crane::image

#endif
