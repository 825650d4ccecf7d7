// The numbers behind random draws: xoshiro128** 1.1 (Blackman and Vigna), the same for a seed and a stream as
// src/data/seeded-generator.ts gives, where the seeding is described.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace crane::metrics {

class SeededGenerator {
 public:
  // seed: below 2^53. Streams of one seed are independent of each other.
  SeededGenerator(uint64_t seed, std::string_view stream);

  uint32_t next();
  // From 0 to n - 1, each equally likely; n from 1 to 2^32.
  uint32_t below(uint64_t n);

 private:
  std::array<uint32_t, 4> words_;
};

}  // namespace crane::metrics
