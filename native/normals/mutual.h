// Pictures that are compared with each other, of which nobody knows which are good (methods/normals.md 6).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "normals/bank.h"

namespace crane::normals {

struct MutualOptions {
  // Sides of the neighbourhoods of cells, odd, that are compared each on its own.
  std::vector<int64_t> neighbourhoods{1};
  // Of the other pictures, the nearest to each patch, whose mean distance counts; at least one.
  double share = 0.3;
};

// rows [copies * grid.count(), D] of unit length -> of each patch the mean of the rows in the side x side
// cells around it, as far as the grid has them, at length one again.
at::Tensor pooled_rows(const at::Tensor& rows, vision::Grid grid, int64_t side);

// The rows of a picture, all its copies, the upright one first; read or given.
using RowsOfPicture = std::function<at::Tensor(int64_t picture)>;

// Of each asked picture, of `pictures` in all, how far its upright patches are from the other pictures: [N],
// in [0, 1]. One picture beside the asked ones is held at a time. No bit depends on which pictures are asked
// together, nor on the order of the pictures.
std::vector<at::Tensor> mutual_distances(int64_t pictures, const RowsOfPicture& rows_of, vision::Grid grid,
                                         std::span<const int64_t> asked, const MutualOptions& options);

// Pictures whose patches lie in files, of which those in use alone are in memory.
class PictureFiles {
 public:
  // paths: banks of one picture each, of one kind, all different. Every one is read once and checked.
  // Errors: E_NORMALS, those of Bank::read.
  PictureFiles(std::vector<std::string> paths, at::Device device);

  // The first of them, whose kind all have.
  const Bank& first() const noexcept { return first_; }
  int64_t count() const noexcept { return static_cast<int64_t>(paths_.size()); }
  // Which of them it is. Errors: E_NORMALS.
  int64_t place_of(const std::string& path) const;

  // As mutual_distances gives them, [N]. Those of the pictures after it, which are likely to be asked next,
  // are found on the way and remembered, so that the files are read less often. Thread-safe: who asks while
  // others are found waits for these, his own being among them as a rule.
  at::Tensor distances(int64_t picture, const MutualOptions& options);

 private:
  std::vector<int64_t> asked_with(int64_t picture) const;

  std::vector<std::string> paths_;
  at::Device device_;
  Bank first_;
  std::mutex mutex_;               // of the two below
  MutualOptions options_;          // of what is remembered
  std::vector<at::Tensor> found_;  // of each picture; undefined: not yet
};

}  // namespace crane::normals
