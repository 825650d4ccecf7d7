// Random RGB pictures as items of a score call.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "engine/engine.h"

namespace crane {

inline std::vector<uint8_t> noise_picture(int64_t width, int64_t height, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> rgb(static_cast<size_t>(width * height * 3));
  // Coarse blocks under fine noise: pictures must differ from each other at the scale of patches.
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width * 3; ++x) {
      const auto block = static_cast<uint32_t>((y / 29) * 131 + (x / 87) * 17) * (seed + 3);
      rgb[static_cast<size_t>(y * width * 3 + x)] = static_cast<uint8_t>((block % 190) + random() % 60);
    }
  }
  return rgb;
}

struct Pictures {
  std::vector<std::vector<uint8_t>> pixels;
  std::vector<ScoreItem> items;

  Pictures(int count, int64_t width, int64_t height, int64_t prompts) {
    for (int i = 0; i < count; ++i)
      pixels.push_back(noise_picture(width, height, static_cast<uint32_t>(i + 1)));
    for (const auto& rgb : pixels) {
      ScoreItem item;
      item.picture = {rgb.data(), width, height, image::Mode::rgb};
      item.context = prompts;
      item.wants_map = true;
      items.push_back(item);
    }
  }
};

}  // namespace crane
