#include "layers/int8_linear.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

#include "kernels/int8.h"

namespace crane::layers {
namespace {

// Products of whole numbers up to 255 x 127, summed in float32 exactly: 2^24 / (255 * 127) of them at a time.
constexpr int64_t k_exact_depth = 512;

}  // namespace

std::vector<int32_t> outliers_behind(const LayerNorm& norm) {
  const int64_t width = norm.weight.numel();
  if (width < 8 * k_most_outliers) return {};
  const at::Tensor reach = (norm.bias.abs() + 3 * norm.weight.abs()).contiguous();
  const float* sizes = reach.const_data_ptr<float>();
  std::vector<int32_t> places(static_cast<size_t>(width));
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(), [&](int32_t a, int32_t b) { return sizes[a] > sizes[b]; });
  places.resize(k_most_outliers);
  std::sort(places.begin(), places.end());
  return places;
}

Int8Linear::Int8Linear(const at::Tensor& weight, const at::Tensor& bias, std::vector<int32_t> outliers)
    : bias_(bias) {
  const int64_t out = weight.size(0);
  const int64_t in = weight.size(1);
  places_ = at::empty({static_cast<int64_t>(outliers.size())}, at::kLong);
  std::copy(outliers.begin(), outliers.end(), places_.mutable_data_ptr<int64_t>());
  kept_ = weight.index_select(1, places_).t().contiguous();
  whole_ = weight.clone(at::MemoryFormat::Contiguous).index_fill_(1, places_, 0);
  steps_ = at::empty({out});
  const at::Tensor largest = std::get<0>(whole_.abs().max(1));
  for (int64_t c = 0; c < out; ++c) {
    const float step = kernels::weight_step(largest.const_data_ptr<float>()[c]);
    steps_.mutable_data_ptr<float>()[c] = step;
    float* row = whole_.mutable_data_ptr<float>() + c * in;
    for (int64_t k = 0; k < in; ++k) row[k] = static_cast<float>(kernels::int8_of_weight(row[k], step));
  }
  sums_ = whole_.sum(1, /*keepdim=*/false, at::kDouble);
}

at::Tensor Int8Linear::operator()(const at::Tensor& u) const {
  const int64_t rows = u.size(0);
  const int64_t in = u.size(1);
  const at::Tensor inside = u.clone(at::MemoryFormat::Contiguous).index_fill_(1, places_, 0);
  const at::Tensor is_finite = u.isfinite().all(1);
  const at::Tensor lowest = inside.amin(1).clamp_max(0);
  const at::Tensor highest = inside.amax(1).clamp_min(0);
  at::Tensor steps = at::empty({rows, 1});
  at::Tensor zeros = at::empty({rows, 1}, at::kDouble);
  for (int64_t r = 0; r < rows; ++r) {
    const kernels::RowScale scale =
        kernels::row_scale(lowest.const_data_ptr<float>()[r], highest.const_data_ptr<float>()[r],
                           is_finite.const_data_ptr<bool>()[r]);
    steps.mutable_data_ptr<float>()[r] = scale.step;
    zeros.mutable_data_ptr<double>()[r] = scale.zero;
    float* row = inside.mutable_data_ptr<float>() + r * in;
    for (int64_t k = 0; k < in; ++k) row[k] = static_cast<float>(kernels::int8_of_row(row[k], scale));
  }
  at::Tensor sums = -zeros * sums_;
  for (int64_t from = 0; from < in; from += k_exact_depth) {
    const int64_t to = std::min(in, from + k_exact_depth);
    sums += at::matmul(inside.slice(1, from, to), whole_.slice(1, from, to).t());
  }
  at::Tensor y = sums.to(at::kFloat) * (steps * steps_);
  if (places_.numel() > 0) y += at::matmul(u.index_select(1, places_), kept_);
  return bias_.defined() ? y + bias_ : y;
}

}  // namespace crane::layers
