#include "image/colour.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstring>

#include "kernels/choice.h"

namespace crane::image {
namespace {

void premultiply_ref(const uint8_t* src, int64_t pixels, uint8_t* dst) {
  for (int64_t i = 0; i < pixels; ++i, src += 4, dst += 4) {
    const uint32_t alpha = src[3];
    dst[0] = multiply_255(src[0], alpha);
    dst[1] = multiply_255(src[1], alpha);
    dst[2] = multiply_255(src[2], alpha);
    dst[3] = src[3];
  }
}

void premultiplied_to_rgb_ref(const uint8_t* src, int64_t pixels, uint8_t* dst) {
  for (int64_t i = 0; i < pixels; ++i, src += 4, dst += 3) {
    const uint32_t alpha = src[3];
    dst[0] = divide_by_alpha(src[0], alpha);
    dst[1] = divide_by_alpha(src[1], alpha);
    dst[2] = divide_by_alpha(src[2], alpha);
  }
}

#if defined(__x86_64__)
// Eight pixels at a time. All steps of multiply_255 fit unsigned 16 bits; alpha is multiplied by 255 / 255.
__attribute__((target("avx2"))) int64_t premultiply_avx2(const uint8_t* src, int64_t pixels, uint8_t* dst) {
  const char z = static_cast<char>(0x80);
  const __m256i spread_alpha = _mm256_setr_epi8(6, z, 6, z, 6, z, z, z, 14, z, 14, z, 14, z, z, z,  //
                                                6, z, 6, z, 6, z, z, z, 14, z, 14, z, 14, z, z, z);
  const __m256i full = _mm256_set1_epi64x(int64_t{255} << 48);
  const __m256i half = _mm256_set1_epi16(128);
  int64_t i = 0;
  for (; i + 8 <= pixels; i += 8) {
    const __m256i rgba = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src + i * 4));
    __m256i halves[2] = {_mm256_unpacklo_epi8(rgba, _mm256_setzero_si256()),
                         _mm256_unpackhi_epi8(rgba, _mm256_setzero_si256())};
    for (__m256i& values : halves) {
      const __m256i alpha = _mm256_or_si256(_mm256_shuffle_epi8(values, spread_alpha), full);
      const __m256i product = _mm256_add_epi16(_mm256_mullo_epi16(values, alpha), half);
      values = _mm256_srli_epi16(_mm256_add_epi16(_mm256_srli_epi16(product, 8), product), 8);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + i * 4), _mm256_packus_epi16(halves[0], halves[1]));
  }
  return i;
}

// Two pixels at a time, divided in float32: 255 * colour is exact, and a quotient below 256 that is no whole
// number is at least 1/255 away from one, far more than the rounding, so that truncation gives the integer
// quotient. Writes one byte beyond what it returns as done: stops early enough to stay within dst.
__attribute__((target("avx2"))) int64_t premultiplied_to_rgb_avx2(const uint8_t* src, int64_t pixels,
                                                                  uint8_t* dst) {
  int64_t i = 0;
  for (; i + 3 <= pixels; i += 2) {
    const __m256i rgba = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(src + i * 4)));
    const __m256i alpha = _mm256_shuffle_epi32(rgba, 0xff);
    const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(rgba), _mm256_set1_ps(255.0f));
    const __m256i quotient = _mm256_cvttps_epi32(
        _mm256_min_ps(_mm256_div_ps(scaled, _mm256_cvtepi32_ps(alpha)), _mm256_set1_ps(255.0f)));
    const __m256i kept = _mm256_cmpeq_epi32(alpha, _mm256_setzero_si256());
    const __m256i values = _mm256_blendv_epi8(quotient, rgba, kept);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    const uint64_t bytes = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_packus_epi16(words, words)));
    const uint32_t first = static_cast<uint32_t>(bytes);
    const uint32_t second = static_cast<uint32_t>(bytes >> 32);
    std::memcpy(dst + i * 3, &first, 4);
    std::memcpy(dst + i * 3 + 3, &second, 4);
  }
  return i;
}
#endif

}  // namespace

void premultiply_row(const uint8_t* src, int64_t pixels, int channels, uint8_t* dst) {
  if (channels == 4) {
    int64_t done = 0;
#if defined(__x86_64__)
    if (kernels::may_use(Isa::avx2)) done = premultiply_avx2(src, pixels, dst);
#endif
    return premultiply_ref(src + done * 4, pixels - done, dst + done * 4);
  }
  for (int64_t i = 0; i < pixels; ++i, src += 2, dst += 2) {
    dst[0] = multiply_255(src[0], src[1]);
    dst[1] = src[1];
  }
}

void grey_to_rgb_row(const uint8_t* src, int64_t pixels, uint8_t* dst) {
  for (int64_t i = 0; i < pixels; ++i, dst += 3) dst[0] = dst[1] = dst[2] = src[i];
}

void grey16_to_rgb_row(const uint16_t* src, int64_t pixels, uint8_t* dst) {
  for (int64_t i = 0; i < pixels; ++i, dst += 3) dst[0] = dst[1] = dst[2] = clip_to_u8(src[i]);
}

void straight_alpha_to_rgb_row(const uint8_t* src, int64_t pixels, int channels, uint8_t* dst) {
  if (channels == 4) {
    for (int64_t i = 0; i < pixels; ++i, src += 4, dst += 3) {
      dst[0] = src[0];
      dst[1] = src[1];
      dst[2] = src[2];
    }
    return;
  }
  for (int64_t i = 0; i < pixels; ++i, src += 2, dst += 3) dst[0] = dst[1] = dst[2] = src[0];
}

void premultiplied_to_rgb_row(const uint8_t* src, int64_t pixels, int channels, uint8_t* dst) {
  if (channels == 4) {
    int64_t done = 0;
#if defined(__x86_64__)
    if (kernels::may_use(Isa::avx2)) done = premultiplied_to_rgb_avx2(src, pixels, dst);
#endif
    return premultiplied_to_rgb_ref(src + done * 4, pixels - done, dst + done * 3);
  }
  for (int64_t i = 0; i < pixels; ++i, src += 2, dst += 3) {
    dst[0] = dst[1] = dst[2] = divide_by_alpha(src[0], src[1]);
  }
}

}  // namespace crane::image
