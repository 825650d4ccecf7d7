// Attention on a square grid with decomposed relative positions, as in SAM's image encoder:
//   softmax(q k^T c + q R_h + q R_w) v,  R_h by the rows of query and key, R_w by their columns.
#pragma once

#include "tensors/torch_headers.h"

namespace crane::attention {

// q, k, v [B, H, s * s, d]; rows, columns [s, s, d] by query and key -> [B, H, s * s, d]. `scale` is c and
// does not touch the positions' terms. Big grids run head by head, so that one [N, N] matrix exists at a
// time.
at::Tensor relative_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                              const at::Tensor& rows, const at::Tensor& columns);

}  // namespace crane::attention
