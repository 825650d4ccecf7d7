// The kernels of a GPU as one table, so that the code around them is the same, and is compiled, in every
// build: only the table is missing where no CUDA kernels are.
#pragma once

#include <cstdint>

#include "cuda/element.h"

// A job belongs to the room whose kernel takes it; the table only hands it on.
namespace crane::attention {
struct SelfCorrelationCuda;
struct AffinityCuda;
}  // namespace crane::attention
namespace crane::layers {
struct NormaliseRowsCuda;
struct AddRowsCuda;
struct ActivateCuda;
}  // namespace crane::layers
namespace crane::image {
struct ResampleCuda;
struct NormaliseCuda;
}  // namespace crane::image

namespace crane::cuda {

struct Kernels {
  void (*self_correlation)(const attention::SelfCorrelationCuda& job, Element element, void* stream);
  void (*affinity)(const attention::AffinityCuda& job, Element element, void* stream);
  void (*normalise_rows)(const layers::NormaliseRowsCuda& job, Element element, void* stream);
  void (*add_rows)(const layers::AddRowsCuda& job, Element element, void* stream);
  void (*activate)(const layers::ActivateCuda& job, Element element, void* stream);
  void (*resample)(const image::ResampleCuda& job, void* stream);
  void (*normalise)(const image::NormaliseCuda& job, void* stream);
  void (*gaussian_blur)(const float* src, float* between, float* dst, int64_t batch, int64_t height,
                        int64_t width, const double* weights, int64_t radius, void* stream);
  // Tests run the kernels' source on the CPU (test/native/cuda): CPU tensors then take the GPU's way.
  bool is_emulated = false;
};

// Null where none were compiled in. Defined above the rooms of the kernels (engine/linked_kernels.cpp).
const Kernels* kernels();
// For tests: replaces the table, or takes it away with null. Not while an engine works.
void use_kernels(const Kernels* table);

}  // namespace crane::cuda
