// How a picture that is not of the model's shape is shown to the model: the geometry of `fit`.
//
//   plan_views -> for each view: render_view -> forward pass -> its map -> MapMerger (merge.h)
//
// A Gaussian belongs after the merge: the merged map has the scale of the model's input in every fit, and
// blurring first would draw padding and tile borders into the map.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "image/picture.h"
#include "image/taps.h"

namespace crane::image {

enum class Fit {
  stretch,  // the whole picture, squeezed to the input's shape; what the reference does
  pad,      // the whole picture with its aspect ratio, centred, the rest filled with the mean colour
  tile,     // overlapping tiles of the input's size at the picture's own resolution
};

// One input of the model.
struct View {
  Rect source;     // what it shows, in pixels of the scaled picture (ViewPlan)
  Rect placement;  // where that lies in the input; same size as source
};

struct ViewPlan {
  Fit fit;
  Filter filter = Filter::bicubic;  // that the picture is resized with
  int64_t picture_width;
  int64_t picture_height;
  int64_t input_width;
  int64_t input_height;
  // The picture is resized to this before views are cut from it: the input's size (stretch), the size that
  // fits inside the input (pad), or its own, enlarged only where a side is shorter than a tile (tile).
  int64_t scaled_width;
  int64_t scaled_height;
  // Size of the merged map, which covers exactly the picture: pixels of the input (stretch, pad) or of the
  // picture (tile).
  int64_t map_width;
  int64_t map_height;
  // Tiles by rows, each row from left to right; one view otherwise.
  std::vector<View> views;
};

inline constexpr double k_max_overlap = 0.9;
inline constexpr int64_t k_max_views = 65536;

// overlap: share of a tile's side that neighbours have in common, for Fit::tile. The last tile of a row or
// column is moved back to end at the border, so its overlap may be larger. Errors: E_IMAGE_SHAPE,
// E_IMAGE_TOO_LARGE (also for more than k_max_views tiles), E_USAGE for the overlap.
ViewPlan plan_views(int64_t width, int64_t height, int64_t input_width, int64_t input_height, Fit fit,
                    double overlap);

// The model's input for one view, as RGB. picture: the one the plan was made for; resized by the plan's
// filter as Pillow does (resize.h). fill: colour of the padding, see mean_colour. dst: [input_height,
// input_width, 3]. Thread-safe.
void render_view(const PictureView& picture, const ViewPlan& plan, const View& view,
                 const std::array<uint8_t, 3>& fill, uint8_t* dst);

}  // namespace crane::image
