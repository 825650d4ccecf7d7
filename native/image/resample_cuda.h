// Pillow's 8-bit resampling and the normalisation on a CUDA device, with the bits of resample.h and
// normalise.h: integer arithmetic, and divisions rounded as the CPU rounds them.
#pragma once

#include <cstdint>

namespace crane::image {

// Taps of one axis in device memory (taps.h), the weights as whole 22-bit fixed-point numbers.
struct TapsCuda {
  const int32_t* first = nullptr;    // [count]
  const int32_t* number = nullptr;   // [count]
  const int32_t* weights = nullptr;  // [count, stride]
  int64_t count = 0;
  int64_t stride = 0;
};

// dst[y, x, c] along one axis of src [height, width, channels]; along x: dst [height, taps.count, channels],
// along y: dst [taps.count, width, channels].
struct ResampleCuda {
  const uint8_t* src = nullptr;
  uint8_t* dst = nullptr;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  TapsCuda taps;
  bool along_x = true;
};

// src [height, width, channels] of 1 (grey) or 3 channels -> dst [3, height, width] float32.
struct NormaliseCuda {
  const uint8_t* src = nullptr;
  float* dst = nullptr;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 3;
  float mean[3] = {};
  float std[3] = {};
};

// Each enqueues on a cudaStream_t and is thread-safe. Errors: E_DEVICE when the launch fails.
void resample_cuda(const ResampleCuda& job, void* stream);
void normalise_cuda(const NormaliseCuda& job, void* stream);

}  // namespace crane::image
