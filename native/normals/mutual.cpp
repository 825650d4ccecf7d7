#include "normals/mutual.h"

#include <ATen/ops/avg_pool2d.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace crane::normals {
namespace {

// Pictures that are asked together hold a cosine for every patch, neighbourhood and other picture: with 1,024
// patches 12 KB each.
constexpr int64_t k_most_pairs = 4096;
constexpr int64_t k_most_asked = 16;
// Of opposite rows, which no tower gives: the mean then stays as short as it is.
constexpr double k_least_length = 1e-12;

// The upright copy's.
at::Tensor upright(const at::Tensor& rows, vision::Grid grid) { return rows.slice(0, 0, grid.count()); }

}  // namespace

at::Tensor pooled_rows(const at::Tensor& rows, vision::Grid grid, int64_t side) {
  if (side == 1) return rows;
  const at::Tensor cells =
      rows.view({-1, grid.height, grid.width, rows.size(1)}).permute({0, 3, 1, 2}).contiguous();
  const at::Tensor means =
      at::avg_pool2d(cells, {side, side}, /*stride=*/{1, 1}, /*padding=*/{side / 2, side / 2},
                     /*ceil_mode=*/false, /*count_include_pad=*/false);
  const at::Tensor flat = means.permute({0, 2, 3, 1}).reshape({-1, rows.size(1)}).contiguous();
  return (flat / flat.norm(2, /*dim=*/1, /*keepdim=*/true).clamp_min(k_least_length)).contiguous();
}

std::vector<at::Tensor> mutual_distances(int64_t pictures, const RowsOfPicture& rows_of, vision::Grid grid,
                                         std::span<const int64_t> asked, const MutualOptions& options) {
  check_input(pictures >= 2, "E_NORMALS", "pictures are compared with each other, and there is one");
  const size_t sides = options.neighbourhoods.size();
  std::vector<std::vector<at::Tensor>> own(asked.size());                   // by picture and side
  std::vector<std::vector<std::vector<at::Tensor>>> cosines(asked.size());  // and of each other picture
  for (size_t a = 0; a < asked.size(); ++a) {
    const at::Tensor rows = rows_of(asked[a]);
    for (const int64_t side : options.neighbourhoods) {
      own[a].push_back(upright(pooled_rows(rows, grid, side), grid).clone());
    }
    cosines[a].resize(sides);
  }
  for (int64_t p = 0; p < pictures; ++p) {
    const at::Tensor rows = rows_of(p);
    for (size_t s = 0; s < sides; ++s) {
      const at::Tensor pooled = pooled_rows(rows, grid, options.neighbourhoods[s]);
      for (size_t a = 0; a < asked.size(); ++a) {
        if (asked[a] != p) cosines[a][s].push_back(nearest_cosines(own[a][s], pooled));
      }
    }
  }
  const auto others = static_cast<double>(pictures - 1);
  const auto count = std::max<int64_t>(1, std::llround(options.share * others));
  std::vector<at::Tensor> found;
  for (const auto& of_sides : cosines) {
    at::Tensor sum;
    for (const auto& of_pictures : of_sides) {
      const at::Tensor far = distances(mean_of_largest(of_pictures, count));
      sum = sum.defined() ? sum + far : far;
    }
    found.push_back(sum / static_cast<double>(sides));
  }
  return found;
}

PictureFiles::PictureFiles(std::vector<std::string> paths, at::Device device)
    : paths_(std::move(paths)), device_(device), first_(Bank::read(paths_.at(0), device)) {
  for (const std::string& path : paths_) {
    const Bank one = Bank::read(path, device_);
    check_input(one.pictures() == 1, "E_NORMALS", path, ": a bank of ", one.pictures(),
                " pictures, where the patches of one are needed");
    check_input(!one.spread() && !one.chosen(), "E_NORMALS", path,
                ": a bank of some patches, where all are compared");
    first_.check_comparable(one);
  }
  found_.resize(paths_.size());
}

int64_t PictureFiles::place_of(const std::string& path) const {
  const auto found = std::ranges::find(paths_, path);
  check_input(found != paths_.end(), "E_NORMALS", path, ": none of the pictures that are compared");
  return found - paths_.begin();
}

at::Tensor PictureFiles::distances(int64_t picture, const MutualOptions& options) {
  const std::lock_guard lock(mutex_);
  if (options_.neighbourhoods != options.neighbourhoods || options_.share != options.share) {
    options_ = options;
    std::ranges::fill(found_, at::Tensor());
  }
  at::Tensor& own = found_[static_cast<size_t>(picture)];
  if (own.defined()) return own;
  const std::vector<int64_t> asked = asked_with(picture);
  const auto rows_of = [&](int64_t p) { return Bank::read(paths_[static_cast<size_t>(p)], device_).rows(); };
  const auto far = mutual_distances(count(), rows_of, first_.grid(), asked, options);
  for (size_t a = 0; a < asked.size(); ++a) found_[static_cast<size_t>(asked[a])] = far[a];
  return own;
}

std::vector<int64_t> PictureFiles::asked_with(int64_t picture) const {
  const int64_t most = std::clamp<int64_t>(k_most_pairs / count(), 1, k_most_asked);
  std::vector<int64_t> asked;
  for (int64_t p = picture; p < count() && static_cast<int64_t>(asked.size()) < most; ++p) {
    if (!found_[static_cast<size_t>(p)].defined()) asked.push_back(p);
  }
  return asked;
}

}  // namespace crane::normals
