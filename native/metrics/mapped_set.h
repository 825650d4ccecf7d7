// Maps and masks of one class as flat arrays in files, read through memory mapping.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "metrics/class_evaluator.h"

namespace crane::metrics {

struct MappedArray {
  std::string path;
  uint64_t offset = 0;  // bytes before the first value
};

struct MappedSet {
  MappedArray maps;  // float32, little endian, [count, height, width]; the offset is a multiple of 4
  std::optional<MappedArray> masks;  // uint8, same shape
  int64_t count = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<double> scores;   // [count], or none
  std::vector<uint8_t> labels;  // [count], 0 or 1, or none: from the masks
};

// Adds every picture; messages call them "path[index]". Pages are read once, in order, and stay the system's
// to drop. Errors: E_IO_READ (missing or too short), E_USAGE, and those of ClassEvaluator::add.
void add_mapped_set(const MappedSet& set, ClassEvaluator& evaluator, int threads);

}  // namespace crane::metrics
