// Rows of a linear layer as whole numbers over a vector type V (int8.h): what the kernels in int8 share
// beside linear_rows.h; included by their files only.
#pragma once

#include "kernels/int8.h"
#include "kernels/linear_rows.h"

namespace crane::kernels {
namespace {

template <typename V, int k_rows>
class Int8Rows : public LinearRows<V, k_rows> {
 protected:
  using Base = LinearRows<V, k_rows>;
  using Base::end_;
  using Base::first_;
  using Base::job_;
  using Base::k_lanes;
  using typename Base::Reg;
  static constexpr int64_t k_scale_floats = sizeof(RowScale) / sizeof(float);

  // memory: needed() floats.
  Int8Rows(const LinearPanels& job, int64_t panels, float* memory) : Base(job, memory) {
    memory += 2 * panels * k_rows;
    scales_ = reinterpret_cast<RowScale*>(memory);
    memory += panels * k_rows * k_scale_floats;
    outliers_ = memory;
  }

  // For a block of so many panels.
  static int64_t needed(const LinearPanels& job, int64_t panels) {
    return panels * k_rows * (2 + k_scale_floats + job.outlier_count);
  }

  // Floats of a row as measure_row() leaves it: four whole vectors at a time, zero behind the depth.
  static int64_t row_floats(const LinearPanels& job) {
    return (job.depth + 4 * k_lanes - 1) / (4 * k_lanes) * (4 * k_lanes);
  }

  // Row r as it enters the products, its outliers taken out, and its scale. A row behind the last is one of
  // zeros; of one that is not finite nothing is left but that it is.
  void measure_row(int64_t r, float* row) {
    const int64_t at = r - first_;
    float* kept = outliers_ + at / k_rows * k_rows * job_.outlier_count + at % k_rows;
    if (r >= end_) {
      scales_[at] = {0, 0, 0};
      for (int64_t k = 0; k < row_floats(job_); k += k_lanes) V::store(row + k, V::zero());
      for (int64_t i = 0; i < job_.outlier_count; ++i) kept[i * k_rows] = 0;
      return;
    }
    Reg lost = V::zero();  // stays 0 while all is finite
    for (int64_t k = 0; k < row_floats(job_); k += k_lanes) {
      const Reg x = this->values_of(r, this->lanes_at(k));
      lost = V::add(lost, V::sub(x, x));
      V::store(row + k, x);
    }
    for (int64_t i = 0; i < job_.outlier_count; ++i) {
      kept[i * k_rows] = row[job_.outliers[i]];
      row[job_.outliers[i]] = 0;
    }
    Reg lowest = V::zero();
    Reg highest = V::zero();
    for (int64_t k = 0; k < row_floats(job_); k += k_lanes) {
      const Reg x = V::load(row + k);
      lowest = V::min(x, lowest);
      highest = V::max(x, highest);
    }
    float ends[2][k_lanes];
    V::store(ends[0], lowest);
    V::store(ends[1], highest);
    float low = 0;
    float high = 0;
    for (int64_t i = 0; i < k_lanes; ++i) {
      low = ends[0][i] < low ? ends[0][i] : low;
      high = ends[1][i] > high ? ends[1][i] : high;
    }
    scales_[at] = row_scale(low, high, V::sum(lost) == 0);
    if (scales_[at].inverse != 0) return;
    for (int64_t k = 0; k < row_floats(job_); k += k_lanes) V::store(row + k, V::zero());
  }

  RowScale* scales_;  // one for every row of the block
  float* outliers_;   // [panel][outliers][k_rows]
};

}  // namespace
}  // namespace crane::kernels
