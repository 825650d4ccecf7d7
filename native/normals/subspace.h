// The subspace of a bank's patches: their mean and the directions in which they hardly vary, as SubspaceAD
// fits it (methods/normals.md 4). A patch is as far as it leaves the others.
#pragma once

#include <cstdint>

#include "tensors/torch_headers.h"

namespace crane::normals {

// Of rows [n, D] of unit length: [D + 1, D] float64 on the CPU, their sum and below it the sum of their outer
// products. Rounded to whole multiples of 2^-28, so that moments add and subtract without an error, in
// whatever order, up to 2^25 rows.
at::Tensor moments_of(const at::Tensor& rows);

struct Subspace {
  at::Tensor mean;    // [D] float64
  at::Tensor across;  // [D, D - q] float64, orthonormal: what is left beside the q principal axes
};

// Of `count` rows with these moments; q is the smallest number of axes that hold the share `variance` of the
// rows' variance.
Subspace subspace_of(const at::Tensor& moments, int64_t count, double variance, at::Device device);

// rows [n, D] of unit length on the subspace's device -> [n] float32, a quarter of the squared length that
// the axes leave of a row minus the mean, so that it lies in [0, 1] (4.2). In double: no bit depends on
// threads that float32 could show.
at::Tensor residuals(const at::Tensor& rows, const Subspace& subspace);

}  // namespace crane::normals
