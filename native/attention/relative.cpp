#include "attention/relative.h"

#include <vector>

namespace crane::attention {
namespace {

constexpr int64_t k_alone = 1024;  // tokens from which on a head's matrix is big enough to run by itself

at::Tensor some_heads(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                      const at::Tensor& rows, const at::Tensor& columns) {
  const int64_t s = rows.size(0);
  const at::Tensor grid = q.reshape({q.size(0), q.size(1), s, s, q.size(3)});  // [B, H, y, x, d]
  const at::Tensor by_row = at::matmul(grid, rows.transpose(1, 2));            // [B, H, y, x, key row]
  const at::Tensor by_column =
      at::matmul(grid.transpose(2, 3), columns.transpose(1, 2)).transpose(2, 3);  // [B, H, y, x, key column]
  at::Tensor scores = at::matmul(q * scale, k.transpose(-2, -1));                 // [B, H, N, N]
  scores.view({q.size(0), q.size(1), s, s, s, s}).add_(by_row.unsqueeze(-1)).add_(by_column.unsqueeze(-2));
  return at::matmul(at::softmax(scores, /*dim=*/-1), v);
}

}  // namespace

at::Tensor relative_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                              const at::Tensor& rows, const at::Tensor& columns) {
  if (q.size(2) < k_alone) return some_heads(q, k, v, scale, rows, columns);
  std::vector<at::Tensor> heads;
  for (int64_t h = 0; h < q.size(1); ++h) {
    const auto one = [h](const at::Tensor& x) { return x.slice(1, h, h + 1); };
    heads.push_back(some_heads(one(q), one(k), one(v), scale, rows, columns));
  }
  return at::cat(heads, /*dim=*/1);
}

}  // namespace crane::attention
