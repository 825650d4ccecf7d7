#include "image/fit.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "image/resize.h"

namespace crane::image {
namespace {

int64_t scaled_side(int64_t side, double scale) { return std::llround(static_cast<double>(side) * scale); }

void plan_pad(ViewPlan& plan) {
  const double scale =
      std::min(static_cast<double>(plan.input_width) / static_cast<double>(plan.picture_width),
               static_cast<double>(plan.input_height) / static_cast<double>(plan.picture_height));
  const auto fitted = [&](int64_t side, int64_t limit) {
    return std::clamp<int64_t>(scaled_side(side, scale), 1, limit);
  };
  const int64_t width = fitted(plan.picture_width, plan.input_width);
  const int64_t height = fitted(plan.picture_height, plan.input_height);
  plan.scaled_width = plan.map_width = width;
  plan.scaled_height = plan.map_height = height;
  plan.views = {
      {.source = {0, 0, width, height},
       .placement = {(plan.input_width - width) / 2, (plan.input_height - height) / 2, width, height}}};
}

// Left ends of tiles of `tile` pixels that cover `size` >= tile pixels.
std::vector<int64_t> tile_starts(int64_t size, int64_t tile, double overlap) {
  const int64_t common = std::llround(static_cast<double>(tile) * overlap);
  const int64_t step = std::max<int64_t>(tile - common, 1);
  const int64_t count = 1 + (size - tile + step - 1) / step;
  check_input(count <= k_max_views, "E_IMAGE_TOO_LARGE", "fit tile: ", count,
              " tiles in one direction, at most ", k_max_views);
  std::vector<int64_t> starts(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) starts[i] = std::min(i * step, size - tile);
  return starts;
}

void plan_tiles(ViewPlan& plan, double overlap) {
  const double scale =
      std::max({1.0, static_cast<double>(plan.input_width) / static_cast<double>(plan.picture_width),
                static_cast<double>(plan.input_height) / static_cast<double>(plan.picture_height)});
  plan.scaled_width = std::max(scaled_side(plan.picture_width, scale), plan.input_width);
  plan.scaled_height = std::max(scaled_side(plan.picture_height, scale), plan.input_height);
  check_size("fit tile: picture enlarged until its short side fits a tile", plan.scaled_width,
             plan.scaled_height);
  plan.map_width = plan.picture_width;
  plan.map_height = plan.picture_height;
  const std::vector<int64_t> columns = tile_starts(plan.scaled_width, plan.input_width, overlap);
  const std::vector<int64_t> rows = tile_starts(plan.scaled_height, plan.input_height, overlap);
  const int64_t count = static_cast<int64_t>(columns.size() * rows.size());
  check_input(count <= k_max_views, "E_IMAGE_TOO_LARGE", "fit tile: ", plan.picture_width, " x ",
              plan.picture_height, " pixels make ", count, " tiles, at most ", k_max_views);
  plan.views.reserve(static_cast<size_t>(count));
  for (const int64_t y : rows) {
    for (const int64_t x : columns) {
      plan.views.push_back({.source = {x, y, plan.input_width, plan.input_height},
                            .placement = {0, 0, plan.input_width, plan.input_height}});
    }
  }
}

}  // namespace

ViewPlan plan_views(int64_t width, int64_t height, int64_t input_width, int64_t input_height, Fit fit,
                    double overlap) {
  check_size("picture", width, height);
  check_size("input of the model", input_width, input_height);
  ViewPlan plan{.fit = fit,
                .picture_width = width,
                .picture_height = height,
                .input_width = input_width,
                .input_height = input_height,
                .scaled_width = input_width,
                .scaled_height = input_height,
                .map_width = input_width,
                .map_height = input_height,
                .views = {}};
  switch (fit) {
    case Fit::stretch:
      plan.views = {
          {.source = {0, 0, input_width, input_height}, .placement = {0, 0, input_width, input_height}}};
      break;
    case Fit::pad:
      plan_pad(plan);
      break;
    case Fit::tile:
      check_input(overlap >= 0.0 && overlap <= k_max_overlap, "E_USAGE", "tile overlap: got ", overlap,
                  ", expected a share from 0 to ", k_max_overlap);
      plan_tiles(plan, overlap);
      break;
  }
  return plan;
}

void render_view(const PictureView& picture, const ViewPlan& plan, const View& view,
                 const std::array<uint8_t, 3>& fill, uint8_t* dst) {
  CRANE_CHECK_INVARIANT(picture.width == plan.picture_width && picture.height == plan.picture_height,
                        "a plan for another picture");
  const Rect& placement = view.placement;
  if (placement != Rect{0, 0, plan.input_width, plan.input_height}) {
    const int64_t pixels = plan.input_width * plan.input_height;
    for (int64_t i = 0; i < pixels; ++i) std::memcpy(dst + i * 3, fill.data(), 3);
  }
  const int64_t stride = plan.input_width * 3;
  resize_region_to_rgb(picture, plan.scaled_width, plan.scaled_height, view.source, plan.filter,
                       dst + placement.y * stride + placement.x * 3, stride);
}

}  // namespace crane::image
