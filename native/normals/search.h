// The nearest row of a bank (methods/normals.md 2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensors/torch_headers.h"

namespace crane::normals {

// Rows of a bank that a search leaves out: [first, last).
struct LeftOut {
  int64_t first = 0;
  int64_t last = 0;
};

// rows [n, D], bank [R, D], both float32, contiguous, of unit length, on one device -> [n] the largest cosine
// of each row with a row of the bank; -1 where the bank is empty or all of it is left out. No [n, R] matrix
// is written. On a CPU the bits of a row do not depend on the others, nor on threads or the order of the
// bank; under CRANE_KERNELS=ref libtorch's product decides the last ones.
at::Tensor nearest_cosines(const at::Tensor& rows, const at::Tensor& bank, LeftOut left_out = {});

// [n] the mean of each row's largest cosines with the rows of the `neighbours` nearest of several pictures:
// picture p has the rows [starts[p], starts[p + 1]) of the bank; `without` is left out (none: -1). The order
// of the pictures does not decide a bit. -1 where no picture is left.
at::Tensor cosines_of_nearest_pictures(const at::Tensor& rows, const at::Tensor& bank,
                                       std::span<const int64_t> starts, int64_t without, int64_t neighbours);

// cosines: [n] of each picture, at least one -> [n] the mean of each row's `count` largest, of no more than
// there are. Their order does not decide a bit.
at::Tensor mean_of_largest(const std::vector<at::Tensor>& cosines, int64_t count);

// Distance of unit rows by their cosine: half of what is missing to 1, so that it lies in [0, 1] (2.1).
at::Tensor distances(const at::Tensor& cosines);

// The mean of the largest `share` of the distances, at least of one (2.2); a number [1].
at::Tensor top_mean(const at::Tensor& distances, double share);

}  // namespace crane::normals
