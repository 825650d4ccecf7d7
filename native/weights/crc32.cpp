#include <array>
#include <cstring>

#include "weights/zip.h"

namespace crane::weights {

namespace {

// Eight tables let eight bytes be taken at once; table k advances a byte by k further zero bytes.
constexpr std::array<std::array<uint32_t, 256>, 8> make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1u) != 0 ? 0xedb88320u : 0u);
    tables[0][i] = value;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t k = 1; k < 8; ++k) {
      const uint32_t previous = tables[k - 1][i];
      tables[k][i] = (previous >> 8) ^ tables[0][previous & 255u];
    }
  }
  return tables;
}

constexpr auto k_tables = make_tables();

}  // namespace

uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  uint32_t crc = 0xffffffffu;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint32_t low;
    uint32_t high;
    std::memcpy(&low, bytes.data() + i, 4);
    std::memcpy(&high, bytes.data() + i + 4, 4);
    low ^= crc;
    crc = k_tables[7][low & 255u] ^ k_tables[6][(low >> 8) & 255u] ^ k_tables[5][(low >> 16) & 255u] ^
          k_tables[4][low >> 24] ^ k_tables[3][high & 255u] ^ k_tables[2][(high >> 8) & 255u] ^
          k_tables[1][(high >> 16) & 255u] ^ k_tables[0][high >> 24];
  }
  for (; i < bytes.size(); ++i) {
    crc = (crc >> 8) ^ k_tables[0][(crc ^ static_cast<uint32_t>(bytes[i])) & 255u];
  }
  return ~crc;
}

}  // namespace crane::weights
