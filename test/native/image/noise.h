// Test pictures that a program in any language can make again: sample i is drawn from splitmix64(seed + i).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "image/picture.h"

namespace crane::image {

inline uint64_t noise_at(uint64_t index) {
  uint64_t z = index * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// 8-bit samples are the top byte; 16-bit samples lie below 400, on both sides of the clip at 255.
template <typename Sample>
std::vector<Sample> noise_samples(int64_t count, uint64_t seed) {
  std::vector<Sample> samples(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t value = noise_at(seed + static_cast<uint64_t>(i));
    if constexpr (std::is_same_v<Sample, float>) {
      samples[i] = static_cast<float>(value >> 40) / static_cast<float>(1 << 24);
    } else if constexpr (sizeof(Sample) == 2) {
      samples[i] = static_cast<Sample>(value % 400);
    } else {
      samples[i] = static_cast<Sample>(value >> 56);
    }
  }
  return samples;
}

// A picture that owns its samples.
class NoisePicture {
 public:
  NoisePicture(Mode mode, int64_t width, int64_t height, uint64_t seed)
      : mode_(mode), width_(width), height_(height) {
    const int64_t samples = width * height * channel_count(mode);
    if (mode == Mode::i16) {
      wide_ = noise_samples<uint16_t>(samples, seed);
    } else {
      narrow_ = noise_samples<uint8_t>(samples, seed);
    }
  }

  // Most samples become 0, the others small: a mask with dark labels.
  void make_sparse() {
    for (uint8_t& value : narrow_) value = value % 16 < 13 ? 0 : value % 8;
    for (uint16_t& value : wide_) value = value % 16 < 13 ? 0 : value % 8;
  }

  PictureView view() const {
    const void* data = wide_.empty() ? static_cast<const void*>(narrow_.data()) : wide_.data();
    return {data, width_, height_, mode_};
  }

 private:
  Mode mode_;
  int64_t width_;
  int64_t height_;
  std::vector<uint8_t> narrow_;
  std::vector<uint16_t> wide_;
};

// FNV-1a of the bytes of an array.
template <typename Value>
uint64_t fingerprint(const std::vector<Value>& values) {
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(values.data());
  uint64_t hash = 0xcbf29ce484222325ull;
  for (size_t i = 0; i < values.size() * sizeof(Value); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ull;
  return hash;
}

}  // namespace crane::image
