#include "train/losses.h"

#include <algorithm>

namespace crane::train {
namespace {

constexpr double k_smooth = 1e-5;

}  // namespace

at::Tensor focal(const at::Tensor& p, const CellCounts& cells) {
  const at::Tensor normal = p.select(-1, 0);
  const at::Tensor anomalous = p.select(-1, 1);
  const auto term = [](const at::Tensor& right, const at::Tensor& wrong) {
    const at::Tensor pt = (1 - k_smooth) * right + k_smooth * wrong + k_smooth;
    return -(1 - pt).square() * pt.log();
  };
  const at::Tensor in_mask = cells.anomalous.to(p.scalar_type());
  const at::Tensor outside = (cells.pixels - cells.anomalous).to(p.scalar_type());
  const at::Tensor sum = (term(anomalous, normal) * in_mask + term(normal, anomalous) * outside).sum();
  return sum / (static_cast<double>(p.size(0)) * cells.pixels.sum().item<double>());
}

at::Tensor dice(const at::Tensor& p, const CellCounts& cells) {
  const at::Tensor anomalous = p.select(-1, 1);
  const at::Tensor in_mask = cells.anomalous.to(p.scalar_type());
  const at::Tensor hit = (anomalous * in_mask).sum(-1);
  const at::Tensor claimed = (anomalous * cells.pixels.to(p.scalar_type())).sum(-1);
  return 1 - ((2 * hit + 1) / (claimed + in_mask.sum(-1) + 1)).mean();
}

CellCounts count_cells(const at::Tensor& masks, CellGrid grid) {
  const at::Tensor bytes = masks.contiguous();
  const int64_t height = masks.size(1);
  const int64_t width = masks.size(2);
  std::vector<std::vector<uint32_t>> counts;
  std::vector<const uint32_t*> pointers;
  for (int64_t b = 0; b < masks.size(0); ++b) {
    counts.push_back(
        anomalous_per_cell(bytes.const_data_ptr<uint8_t>() + b * height * width, height, width, grid));
  }
  pointers.reserve(counts.size());
  for (const auto& count : counts) pointers.push_back(count.data());
  return gather_cells(pointers, height, width, grid);
}

CellCounts gather_cells(const std::vector<const uint32_t*>& anomalous, int64_t height, int64_t width,
                        CellGrid grid) {
  const auto doubles = at::TensorOptions().dtype(at::kDouble);
  const int64_t n = grid.height * grid.width;
  const std::vector<uint32_t> pixels = pixels_per_cell(height, width, grid);
  CellCounts counts;
  counts.pixels = at::empty({n}, doubles);
  std::copy(pixels.begin(), pixels.end(), counts.pixels.data_ptr<double>());
  std::vector<int64_t> known;
  for (size_t b = 0; b < anomalous.size(); ++b) {
    if (anomalous[b] != nullptr) known.push_back(static_cast<int64_t>(b));
  }
  counts.anomalous = at::empty({static_cast<int64_t>(known.size()), n}, doubles);
  for (size_t k = 0; k < known.size(); ++k) {
    const uint32_t* row = anomalous[static_cast<size_t>(known[k])];
    std::copy(row, row + n, counts.anomalous.data_ptr<double>() + static_cast<int64_t>(k) * n);
  }
  if (known.size() < anomalous.size()) counts.known = at::tensor(known, at::TensorOptions().dtype(at::kLong));
  return counts;
}

}  // namespace crane::train
