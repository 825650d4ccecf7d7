// Weights that are a function of their names (fixtures.md 1): the same values on
// every machine, without a random generator and without a file. For tests, for benchmarks at full size, and
// for towers that were never trained: a model describes them instead of storing them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/tensor_view.h"

namespace crane::weights {

struct SynthTensor {
  std::string salt;  // the recipe hashes "salt:name"
  std::string name;
  std::vector<int64_t> shape = {};
  std::optional<int> exponent = std::nullopt;  // nothing: constant `base`
  double base = 0;
  DType dtype = DType::f32;  // f32, f16 or i32
  // Columns (last axis) from this one on are multiplied by column_scale after the recipe (fixtures.md 2).
  std::optional<int64_t> column_from = std::nullopt;
  double column_scale = 1;
  // Given one by one instead of made: as many as the shape holds, i32 only, -2^24 .. 2^24 (token ids).
  std::vector<int32_t> values = {};
};

uint32_t synth_seed(std::string_view salt, std::string_view name) noexcept;

// dst[i] = value number first + i of the tensor, i < count.
void synth_values(const SynthTensor& tensor, uint64_t first, size_t count, float* dst);

// All tensors in memory, as a file that lies nowhere; `path` is what messages call it.
// Errors: E_USAGE for a tensor the recipe cannot make.
std::shared_ptr<const WeightFile> synth_file(const std::string& path,
                                             const std::vector<SynthTensor>& tensors);

// Writes all tensors, never holding more than a small piece of one. Whole or not at all.
// `progress` is told values done and in all. Errors: E_USAGE for a tensor the recipe cannot make, E_IO_WRITE.
void write_synth(const std::string& path, const std::vector<SynthTensor>& tensors,
                 const std::map<std::string, std::string>& metadata,
                 const std::function<void(uint64_t done, uint64_t total)>& progress = {});

}  // namespace crane::weights
