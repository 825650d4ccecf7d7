#include "attention/relative.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace crane::attention {
namespace {

// The formula written out, one query and one key at a time, in double.
at::Tensor slow(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                const at::Tensor& rows, const at::Tensor& columns) {
  const int64_t s = rows.size(0);
  const int64_t n = s * s;
  const int64_t d = q.size(3);
  at::Tensor out = at::empty(q.sizes(), q.options());
  for (int64_t b = 0; b < q.size(0); ++b) {
    for (int64_t h = 0; h < q.size(1); ++h) {
      const auto Q = q[b][h].contiguous(), K = k[b][h].contiguous(), V = v[b][h].contiguous();
      const auto at2 = [d](const at::Tensor& t, int64_t i, int64_t c) {
        return t.const_data_ptr<double>()[i * d + c];
      };
      for (int64_t i = 0; i < n; ++i) {
        std::vector<double> weight(static_cast<size_t>(n));
        double sum = 0;
        for (int64_t j = 0; j < n; ++j) {
          double score = 0;
          for (int64_t c = 0; c < d; ++c) {
            score += at2(Q, i, c) * (scale * at2(K, j, c) + at2(rows[i / s].contiguous(), j / s, c) +
                                     at2(columns[i % s].contiguous(), j % s, c));
          }
          sum += weight[static_cast<size_t>(j)] = std::exp(score);
        }
        for (int64_t c = 0; c < d; ++c) {
          double mixed = 0;
          for (int64_t j = 0; j < n; ++j) mixed += weight[static_cast<size_t>(j)] / sum * at2(V, j, c);
          out[b][h][i][c] = mixed;
        }
      }
    }
  }
  return out;
}

TEST(RelativeAttention, EqualsTheFormula) {
  at::manual_seed(5);
  const auto doubles = at::TensorOptions().dtype(at::kDouble);
  const int64_t s = 3;
  const at::Tensor q = at::randn({2, 2, s * s, 4}, doubles);
  const at::Tensor k = at::randn({2, 2, s * s, 4}, doubles);
  const at::Tensor v = at::randn({2, 2, s * s, 4}, doubles);
  const at::Tensor rows = at::randn({s, s, 4}, doubles);
  const at::Tensor columns = at::randn({s, s, 4}, doubles);
  const at::Tensor got = relative_attention(q, k, v, 0.5, rows, columns);
  EXPECT_LT((got - slow(q, k, v, 0.5, rows, columns)).abs().max().item<double>(), 1e-12);
}

// From 1024 tokens on heads run one by one: the same numbers.
TEST(RelativeAttention, HeadsThatRunAloneGiveTheSame) {
  at::manual_seed(6);
  const int64_t s = 32;
  const at::Tensor q = at::randn({1, 2, s * s, 8});
  const at::Tensor rows = at::randn({s, s, 8}) * 0.1;
  const at::Tensor columns = at::randn({s, s, 8}) * 0.1;
  const at::Tensor both = relative_attention(q, q, q, 0.3, rows, columns);
  for (int64_t h = 0; h < 2; ++h) {
    const at::Tensor one = q.slice(1, h, h + 1);
    EXPECT_LT((both.slice(1, h, h + 1) - relative_attention(one, one, one, 0.3, rows, columns))
                  .abs()
                  .max()
                  .item<double>(),
              1e-6);
  }
}

}  // namespace
}  // namespace crane::attention
