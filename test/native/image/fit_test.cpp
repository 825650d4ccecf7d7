// Views show every pixel of the picture, and their maps merge into one without seams.
#include "image/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "image/merge.h"
#include "image/resize.h"
#include "noise.h"

namespace crane::image {
namespace {

constexpr std::array<uint8_t, 3> k_fill = {1, 2, 3};

std::vector<uint8_t> rendered(const PictureView& picture, const ViewPlan& plan, const View& view) {
  std::vector<uint8_t> input(static_cast<size_t>(plan.input_width * plan.input_height * 3));
  render_view(picture, plan, view, k_fill, input.data());
  return input;
}

std::vector<float> merged(const ViewPlan& plan, const std::vector<std::vector<float>>& maps) {
  MapMerger merger(plan);
  for (const std::vector<float>& map : maps) merger.add(map.data());
  return merger.take();
}

// Maps that all views would give if the model answered with a function of the place in the scaled picture.
template <typename Answer>
std::vector<std::vector<float>> answers(const ViewPlan& plan, Answer answer) {
  std::vector<std::vector<float>> maps;
  for (const View& view : plan.views) {
    std::vector<float>& map =
        maps.emplace_back(static_cast<size_t>(plan.input_width * plan.input_height), -100.0f);
    for (int64_t y = 0; y < view.placement.height; ++y) {
      for (int64_t x = 0; x < view.placement.width; ++x) {
        map[(view.placement.y + y) * plan.input_width + view.placement.x + x] =
            answer(view.source.x + x, view.source.y + y);
      }
    }
  }
  return maps;
}

TEST(FitStretch, IsTheWholePictureAndTheMapOfTheInput) {
  const NoisePicture picture(Mode::rgb, 50, 30, 1);
  const ViewPlan plan = plan_views(50, 30, 28, 42, Fit::stretch, 0.0);
  ASSERT_EQ(plan.views.size(), 1u);
  std::vector<uint8_t> expected(28 * 42 * 3);
  resize_to_rgb(picture.view(), 28, 42, Filter::bicubic, expected.data());
  EXPECT_EQ(rendered(picture.view(), plan, plan.views[0]), expected);
  const std::vector<float> map = noise_samples<float>(28 * 42, 2);
  EXPECT_EQ(merged(plan, {map}), map);
  EXPECT_EQ(std::pair(plan.map_width, plan.map_height), std::pair(int64_t{28}, int64_t{42}));
}

TEST(FitPad, KeepsTheAspectRatioAndCentresThePicture) {
  const ViewPlan plan = plan_views(200, 100, 56, 56, Fit::pad, 0.0);
  ASSERT_EQ(plan.views.size(), 1u);
  EXPECT_EQ(plan.views[0].placement, (Rect{0, 14, 56, 28}));
  const NoisePicture picture(Mode::rgb, 200, 100, 1);
  std::vector<uint8_t> resized(56 * 28 * 3);
  resize_to_rgb(picture.view(), 56, 28, Filter::bicubic, resized.data());
  const std::vector<uint8_t> input = rendered(picture.view(), plan, plan.views[0]);
  EXPECT_TRUE(std::equal(resized.begin(), resized.end(), input.begin() + 14 * 56 * 3));
  for (int64_t i = 0; i < 14 * 56; ++i) {
    for (int c = 0; c < 3; ++c) {
      ASSERT_EQ(input[i * 3 + c], k_fill[c]);
      ASSERT_EQ(input[input.size() - 3 - i * 3 + c], k_fill[c]);
    }
  }
}

TEST(FitPad, MapIsThePartThatShowsThePicture) {
  const ViewPlan plan = plan_views(30, 100, 56, 56, Fit::pad, 0.0);
  EXPECT_EQ(plan.views[0].placement, (Rect{19, 0, 17, 56}));
  const auto answer = [](int64_t x, int64_t y) { return static_cast<float>(x + 100 * y); };
  const std::vector<float> map = merged(plan, answers(plan, answer));
  ASSERT_EQ(map.size(), 17u * 56u);
  for (int64_t y = 0; y < 56; ++y) {
    for (int64_t x = 0; x < 17; ++x) ASSERT_EQ(map[y * 17 + x], answer(x, y));
  }
}

TEST(FitPad, KeepsAtLeastOnePixelOfAnExtremePicture) {
  const ViewPlan plan = plan_views(10000, 1, 56, 56, Fit::pad, 0.0);
  EXPECT_EQ(plan.views[0].placement, (Rect{0, 27, 56, 1}));
}

TEST(FitTile, CoversThePictureAndEndsAtTheBorder) {
  for (const double overlap : {0.0, 0.25, 0.5, 0.9}) {
    for (const auto& [width, height] :
         {std::pair<int64_t, int64_t>{28, 28}, {29, 28}, {100, 57}, {28, 300}}) {
      const ViewPlan plan = plan_views(width, height, 28, 28, Fit::tile, overlap);
      std::vector<int> seen(static_cast<size_t>(width * height), 0);
      for (const View& view : plan.views) {
        ASSERT_EQ(view.source.width, 28);
        ASSERT_EQ(view.source.height, 28);
        ASSERT_GE(view.source.x, 0);
        ASSERT_LE(view.source.x + 28, width);
        ASSERT_GE(view.source.y, 0);
        ASSERT_LE(view.source.y + 28, height);
        for (int64_t y = 0; y < 28; ++y) {
          for (int64_t x = 0; x < 28; ++x) ++seen[(view.source.y + y) * width + view.source.x + x];
        }
      }
      EXPECT_GE(*std::min_element(seen.begin(), seen.end()), 1);
      EXPECT_EQ(plan.views.back().source.x + 28, width);
      EXPECT_EQ(plan.views.back().source.y + 28, height);
      EXPECT_EQ(std::pair(plan.map_width, plan.map_height), std::pair(width, height));
    }
  }
}

TEST(FitTile, ShowsThePicturesOwnPixels) {
  const NoisePicture picture(Mode::l, 70, 45, 9);
  const uint8_t* samples = static_cast<const uint8_t*>(picture.view().data);
  const ViewPlan plan = plan_views(70, 45, 28, 14, Fit::tile, 0.25);
  ASSERT_GT(plan.views.size(), 6u);
  for (const View& view : plan.views) {
    const std::vector<uint8_t> input = rendered(picture.view(), plan, view);
    for (int64_t y = 0; y < 14; ++y) {
      for (int64_t x = 0; x < 28; ++x) {
        ASSERT_EQ(input[(y * 28 + x) * 3], samples[(view.source.y + y) * 70 + view.source.x + x]);
      }
    }
  }
}

TEST(FitTile, EnlargesAPictureWhoseShortSideIsBelowATile) {
  const NoisePicture picture(Mode::rgba, 10, 64, 9);
  const ViewPlan plan = plan_views(10, 64, 28, 28, Fit::tile, 0.5);
  EXPECT_EQ(std::pair(plan.scaled_width, plan.scaled_height), std::pair(int64_t{28}, int64_t{179}));
  EXPECT_EQ(std::pair(plan.map_width, plan.map_height), std::pair(int64_t{10}, int64_t{64}));
  std::vector<uint8_t> scaled(28 * 179 * 3);
  resize_to_rgb(picture.view(), 28, 179, Filter::bicubic, scaled.data());
  for (const View& view : plan.views) {
    const std::vector<uint8_t> input = rendered(picture.view(), plan, view);
    ASSERT_TRUE(std::equal(input.begin(), input.end(), scaled.begin() + view.source.y * 28 * 3));
  }
  const std::vector<float> map = merged(plan, answers(plan, [](int64_t, int64_t) { return 0.375f; }));
  ASSERT_EQ(map.size(), 640u);
  for (const float value : map) ASSERT_NEAR(value, 0.375f, 1e-6f);
}

TEST(FitTile, MergingWeighsEveryPixelByOne) {
  for (const double overlap : {0.0, 0.2, 0.6, 0.9}) {
    const ViewPlan plan = plan_views(133, 91, 28, 28, Fit::tile, overlap);
    // Views that agree: the merged map is what they agree on.
    const auto answer = [](int64_t x, int64_t y) {
      return 0.5f + 0.4f * std::sin(0.1f * static_cast<float>(x + 2 * y));
    };
    const std::vector<float> map = merged(plan, answers(plan, answer));
    for (int64_t y = 0; y < 91; ++y) {
      for (int64_t x = 0; x < 133; ++x) ASSERT_NEAR(map[y * 133 + x], answer(x, y), 1e-6f) << x << ", " << y;
    }
  }
}

TEST(FitTile, MergingLeavesNoSeamWhereViewsDisagree) {
  // Each tile answers with its own constant; a hard border would jump by 1 from one pixel to the next.
  const ViewPlan plan = plan_views(112, 28, 56, 28, Fit::tile, 0.5);
  ASSERT_EQ(plan.views.size(), 3u);
  std::vector<std::vector<float>> maps;
  for (size_t i = 0; i < 3; ++i) maps.emplace_back(56 * 28, static_cast<float>(i % 2));
  const std::vector<float> map = merged(plan, maps);
  float largest = 0;
  for (int64_t x = 1; x < 112; ++x) largest = std::max(largest, std::abs(map[x] - map[x - 1]));
  EXPECT_LT(largest, 0.08f);  // a transition of 28 pixels, at its steepest about pi / 2 / 28
  EXPECT_EQ(map[0], 0.0f);
  EXPECT_EQ(map[111], 0.0f);
  EXPECT_GT(*std::max_element(map.begin(), map.begin() + 112), 0.99f);
}

TEST(FitTile, RefusesWhatCannotBeTiled) {
  const auto code = [](int64_t width, int64_t height, double overlap) -> std::string {
    try {
      plan_views(width, height, 56, 56, Fit::tile, overlap);
    } catch (const Error& error) {
      return error.code();
    }
    return "no error";
  };
  EXPECT_EQ(code(100, 100, -0.1), "E_USAGE");
  EXPECT_EQ(code(100, 100, 1.0), "E_USAGE");
  EXPECT_EQ(code(100, 100, std::nan("")), "E_USAGE");
  EXPECT_EQ(code(40000, 40000, 0.5), "E_IMAGE_TOO_LARGE");
  EXPECT_EQ(code(1, 1 << 22, 0.0), "E_IMAGE_TOO_LARGE");
  EXPECT_EQ(code(0, 5, 0.0), "E_IMAGE_SHAPE");
}

}  // namespace
}  // namespace crane::image
