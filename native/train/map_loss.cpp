#include "train/map_loss.h"

#include "core/error.h"

namespace crane::train {
namespace {

// The other way round: what the mask calls normal.
CellCounts opposite(const CellCounts& cells) {
  return {cells.pixels, cells.pixels - cells.anomalous, cells.known};
}

}  // namespace

MapLoss map_loss(const at::Tensor& p, const CellCounts& pixels, bool rows_of_one) {
  const int64_t pictures = p.size(0);
  const int64_t height = p.size(2);
  const int64_t width = p.size(3);
  CRANE_CHECK_INVARIANT(pixels.anomalous.size(0) == pictures && pixels.anomalous.size(1) == height * width,
                        "counts of ", pixels.anomalous.size(0), " x ", pixels.anomalous.size(1),
                        " for maps of ", pictures, " x ", height * width);
  const at::Tensor flat = p.flatten(2).transpose(1, 2);  // [K, H * W, 2]
  MapLoss loss;
  loss.focal = focal(flat, pixels);
  const bool by_rows = rows_of_one && pictures == 1;
  const CellCounts cells =
      by_rows ? CellCounts{pixels.pixels.slice(0, 0, width), pixels.anomalous.view({height, width}), {}}
              : pixels;
  const at::Tensor pairs = by_rows ? flat.view({height, width, 2}) : flat;
  loss.dice_anomalous = dice(pairs, cells);
  loss.dice_normal = dice(pairs.flip({-1}), opposite(cells));
  return loss;
}

}  // namespace crane::train
