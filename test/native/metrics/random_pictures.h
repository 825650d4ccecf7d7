// Small sets of maps and masks in which everything awkward is frequent.
#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "judge.h"

namespace crane::metrics {

// Scores on few levels, so that ties abound; or continuous; or from a list of special values.
enum class Scores { few_levels, continuous, special };

inline std::vector<judge::Picture> random_pictures(uint32_t seed, Scores scores) {
  std::mt19937 random(seed);
  const auto up_to = [&](int most) { return static_cast<int>(random() % static_cast<uint32_t>(most + 1)); };
  constexpr float k_special[] = {0.0f, -0.0f, 1e-42f, -1e-42f, 1e-45f, 0.5f, -3.0f, 3e38f, -3e38f, 1e-30f};
  const auto score = [&]() -> float {
    switch (scores) {
      case Scores::few_levels:
        return static_cast<float>(up_to(7)) / 7.0f;
      case Scores::continuous:
        return static_cast<float>(random()) * 0x1p-32f * (up_to(1) == 0 ? 1.0f : -4.0f);
      default:
        return k_special[up_to(9)];
    }
  };
  std::vector<judge::Picture> pictures;
  const int count = 1 + up_to(4);
  for (int p = 0; p < count; ++p) {
    judge::Picture picture{{}, {}, 1 + up_to(11), 1 + up_to(8)};
    const int anomalous_in_16 = up_to(5) == 0 ? 0 : up_to(10);
    const bool is_constant = up_to(5) == 0;
    const float constant = score();
    for (int i = 0; i < picture.width * picture.height; ++i) {
      const bool is_anomalous = up_to(15) < anomalous_in_16;
      picture.mask.push_back(is_anomalous ? static_cast<uint8_t>(1 + up_to(254)) : 0);
      const float value = is_constant ? constant : score();
      picture.map.push_back(is_anomalous && up_to(1) == 0 ? std::max(value, score()) : value);
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace crane::metrics
