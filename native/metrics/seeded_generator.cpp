#include "metrics/seeded_generator.h"

#include <bit>

#include "core/error.h"

namespace crane::metrics {
namespace {

// MurmurHash3's finaliser.
uint32_t mix(uint32_t bits) {
  bits = (bits ^ (bits >> 16)) * 0x85ebca6bU;
  bits = (bits ^ (bits >> 13)) * 0xc2b2ae35U;
  return bits ^ (bits >> 16);
}

uint32_t fnv1a(std::string_view text) {
  uint32_t hash = 0x811c9dc5U;
  for (const char byte : text) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x01000193U;
  return hash;
}

}  // namespace

SeededGenerator::SeededGenerator(uint64_t seed, std::string_view stream) {
  check_input(seed < (uint64_t{1} << 53), "E_USAGE", "seed ", seed, ": expected a number below 2^53");
  const auto low = static_cast<uint32_t>(seed);
  const auto high = static_cast<uint32_t>(seed >> 32);
  const uint32_t name = fnv1a(stream);
  for (uint32_t i = 0; i < words_.size(); ++i) words_[i] = mix(mix(mix(name + i * 0x9e3779b9U) + high) + low);
}

uint32_t SeededGenerator::next() {
  auto& s = words_;
  const uint32_t result = std::rotl(s[1] * 5, 7) * 9;
  const uint32_t shifted = s[1] << 9;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 11);
  return result;
}

uint32_t SeededGenerator::below(uint64_t n) {
  constexpr uint64_t words = uint64_t{1} << 32;
  // The last, incomplete run of n values would favour the small ones: drawn again.
  const uint64_t limit = words - words % n;
  uint64_t drawn = next();
  while (drawn >= limit) drawn = next();
  return static_cast<uint32_t>(drawn % n);
}

}  // namespace crane::metrics
