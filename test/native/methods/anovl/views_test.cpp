#include "methods/anovl/views.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace crane::methods::anovl {
namespace {

constexpr int64_t k_side = 9;

// The definition, pixel by pixel: where pixel (x, y) of the view lies in the picture, reflected at the
// outermost pixels, between its four neighbours.
double reflected(double at, double last) {
  const double folded = std::fmod(std::abs(at), 2 * last);
  return folded > last ? 2 * last - folded : folded;
}

double sample(const at::Tensor& plane, double x, double y) {
  const double last = k_side - 1;
  x = reflected(x, last);
  y = reflected(y, last);
  const auto left = static_cast<int64_t>(std::floor(x));
  const auto top = static_cast<int64_t>(std::floor(y));
  double sum = 0;
  for (int64_t dy = 0; dy < 2; ++dy) {
    for (int64_t dx = 0; dx < 2; ++dx) {
      const double weight = (1 - std::abs(x - static_cast<double>(left + dx))) *
                            (1 - std::abs(y - static_cast<double>(top + dy)));
      if (weight <= 0 || left + dx >= k_side || top + dy >= k_side) continue;
      sum += weight * plane[top + dy][left + dx].item<double>();
    }
  }
  return sum;
}

// view(x, y) = picture(map(x, y)), coordinates from -1 to 1 at the centres of the outermost pixels.
template <typename Map>
void expect_moved(const at::Tensor& view, const at::Tensor& image, const Map& map) {
  const double half = (k_side - 1) / 2.0;
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t y = 0; y < k_side; ++y) {
      for (int64_t x = 0; x < k_side; ++x) {
        const auto [from_x, from_y] =
            map(static_cast<double>(x) / half - 1, static_cast<double>(y) / half - 1);
        EXPECT_NEAR(view[c][y][x].item<double>(),
                    sample(image[0][c], (from_x + 1) * half, (from_y + 1) * half), 2e-5);
      }
    }
  }
}

struct Example {
  at::Tensor image;
  at::Tensor views;
  Example() {
    at::manual_seed(41);
    image = at::randn({1, 3, k_side, k_side});
    views = other_views(image);
  }
};

TEST(OtherViews, AreOneLessThanAll) {
  const Example example;
  EXPECT_EQ(example.views.sizes().vec(), (std::vector<int64_t>{k_views - 1, 3, k_side, k_side}));
}

TEST(OtherViews, AreTurnedInSmallSteps) {
  const Example example;
  const std::vector<double> degrees{-45, -33.75, -22.5, -11.25, 11.25, 22.5, 33.75, 45};
  for (size_t i = 0; i < degrees.size(); ++i) {
    const double angle = degrees[i] * std::numbers::pi / 180;
    expect_moved(example.views[static_cast<int64_t>(i)], example.image, [&](double x, double y) {
      return std::pair(std::cos(angle) * x - std::sin(angle) * y, std::sin(angle) * x + std::cos(angle) * y);
    });
  }
}

TEST(OtherViews, AreShiftedAndReflected) {
  const Example example;
  int64_t at = 8;
  for (const double by : {.2, .1}) {
    for (const auto& [sx, sy] : std::vector<std::pair<int, int>>{{1, 1}, {-1, 1}, {-1, -1}, {1, -1}}) {
      expect_moved(example.views[at++], example.image,
                   [&](double x, double y) { return std::pair(x + sx * by, y + sy * by); });
    }
  }
}

TEST(OtherViews, AreMirroredGreyAndTurnedByQuarters) {
  const Example example;
  expect_moved(example.views[16], example.image, [](double x, double y) { return std::pair(-x, y); });
  const at::Tensor grey =
      0.299 * example.image[0][0] + 0.587 * example.image[0][1] + 0.114 * example.image[0][2];
  for (int64_t c = 0; c < 3; ++c) {
    EXPECT_LT((example.views[17][c] - grey).abs().max().item<double>(), 1e-6);
  }
  // Counter-clockwise: what was on the right is at the top.
  const at::Tensor& image = example.image;
  EXPECT_TRUE(at::equal(example.views[18][0][0], image[0][0].select(1, k_side - 1)));
  EXPECT_TRUE(at::equal(example.views[19], image[0].flip({1, 2})));
  // Three quarters: what was on the left is at the top, upside down.
  EXPECT_TRUE(at::equal(example.views[20][0][0], image[0][0].select(1, 0).flip(0)));
}

TEST(OtherViews, OfWhatIsNotSquareAreRefused) {
  try {
    other_views(at::ones({1, 3, 8, 10}));
    FAIL() << "made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "E_MODEL_CONFIG");
  }
}

}  // namespace
}  // namespace crane::methods::anovl
