#include "normals/search.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>

#include "core/cancel.h"
#include "core/error.h"
#include "kernels/choice.h"
#include "kernels/nearest_panels.h"
#include "tensors/team.h"

namespace crane::normals {
namespace {

// Rows of the bank in one product of libtorch: 1,024 patches then take a matrix of 16 MB.
constexpr int64_t k_rows_at_once = 4096;

// The definition, and what a GPU runs.
void improve_by_products(at::Tensor& best, const at::Tensor& rows, const at::Tensor& bank) {
  for (int64_t from = 0; from < bank.size(0); from += k_rows_at_once) {
    const at::Tensor some = bank.slice(0, from, std::min(from + k_rows_at_once, bank.size(0)));
    best = at::maximum(best, at::amax(at::mm(rows, some.t()), /*dim=*/1));
  }
}

void improve_by_panels(const kernels::NearestFace& face, at::Tensor& best, const at::Tensor& rows,
                       const at::Tensor& bank) {
  kernels::NearestPanels job;
  job.rows = rows.const_data_ptr<float>();
  job.count = rows.size(0);
  job.depth = rows.size(1);
  job.bank = bank.const_data_ptr<float>();
  job.bank_rows = bank.size(0);
  job.best = best.mutable_data_ptr<float>();
  run_on_team(face.panels(job), [&](int64_t first, int64_t last) { face.run(job, first, last); });
}

}  // namespace

at::Tensor nearest_cosines(const at::Tensor& rows, const at::Tensor& bank, LeftOut left_out) {
  CRANE_CHECK_INVARIANT(rows.dim() == 2 && bank.dim() == 2 && rows.size(1) == bank.size(1) &&
                            rows.is_contiguous() && bank.is_contiguous(),
                        "rows ", rows.sizes(), " in a bank ", bank.sizes());
  check_shutdown();
  at::Tensor best = at::full({rows.size(0)}, -1, rows.options());
  const kernels::Row& chosen = kernels::chosen("nearest");
  const auto* face = rows.is_cpu() ? chosen.as<kernels::NearestFace>() : nullptr;
  for (const at::Tensor& part :
       {bank.slice(0, 0, left_out.first), bank.slice(0, left_out.last, bank.size(0))}) {
    if (face != nullptr) {
      improve_by_panels(*face, best, rows, part);
    } else {
      improve_by_products(best, rows, part);
    }
  }
  return best;
}

at::Tensor cosines_of_nearest_pictures(const at::Tensor& rows, const at::Tensor& bank,
                                       std::span<const int64_t> starts, int64_t without, int64_t neighbours) {
  std::vector<at::Tensor> cosines;
  for (int64_t p = 0; p + 1 < static_cast<int64_t>(starts.size()); ++p) {
    if (p != without) cosines.push_back(nearest_cosines(rows, bank.slice(0, starts[p], starts[p + 1])));
  }
  if (cosines.empty()) return at::full({rows.size(0)}, -1, rows.options());
  return mean_of_largest(cosines, neighbours);
}

at::Tensor mean_of_largest(const std::vector<at::Tensor>& cosines, int64_t count) {
  const auto of_all = std::min(count, static_cast<int64_t>(cosines.size()));
  // Sorted and summed in double.
  return std::get<0>(at::topk(at::stack(cosines, /*dim=*/1), of_all, /*dim=*/1, /*largest=*/true,
                              /*sorted=*/true))
      .to(at::kDouble)
      .mean(/*dim=*/1)
      .to(at::kFloat);
}

at::Tensor distances(const at::Tensor& cosines) { return ((1 - cosines) / 2).clamp(0, 1); }

at::Tensor top_mean(const at::Tensor& distances, double share) {
  const auto all = static_cast<double>(distances.numel());
  const auto count = std::max<int64_t>(1, static_cast<int64_t>(std::floor(share * all)));
  // Sorted and summed in double: the order of the patches decides nothing.
  return std::get<0>(at::topk(distances.flatten(), count, 0, /*largest=*/true, /*sorted=*/true))
      .to(at::kDouble)
      .mean()
      .reshape({1});
}

}  // namespace crane::normals
