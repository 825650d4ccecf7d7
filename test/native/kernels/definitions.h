// What the kernels of native/kernels are defined to compute, as plain loops in double precision: no tensor
// library, no vectors. Operands are rounded to the precision of the products, as the faces round them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/precision.h"
#include "kernels/affinity_panels.h"
#include "kernels/attention_panels.h"
#include "kernels/bfloat16.h"
#include "kernels/int8.h"
#include "kernels/linear_panels.h"
#include "kernels/nearest_panels.h"

namespace crane::kernels::definitions {

// x as it enters a product.
inline double operand(double x, Precision precision) {
  const auto narrow = static_cast<float>(x);
  return precision == Precision::bfloat16 ? bfloat16_value(bfloat16_bits(narrow)) : narrow;
}

inline double activated(double x, Epilogue epilogue) {
  if (epilogue == Epilogue::quick_gelu) return x / (1 + std::exp(-1.702 * x));
  if (epilogue == Epilogue::gelu) return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
  return x;
}

// Rows of a linear layer as they enter the product, [rows, depth].
inline std::vector<double> entering_rows(const LinearPanels& job) {
  std::vector<double> all;
  for (int64_t r = 0; r < job.rows; ++r) {
    const float* row = job.src + r * job.src_stride;
    std::vector<double> x(row, row + job.depth);
    if (job.norm_weight != nullptr) {
      double mean = 0;
      double variance = 0;
      for (const double each : x) mean += each / static_cast<double>(job.depth);
      for (const double each : x) variance += (each - mean) * (each - mean) / static_cast<double>(job.depth);
      for (int64_t k = 0; k < job.depth; ++k) {
        x[k] = (x[k] - mean) / std::sqrt(variance + job.norm_eps) * job.norm_weight[k] + job.norm_bias[k];
      }
    }
    all.insert(all.end(), x.begin(), x.end());
  }
  return all;
}

inline bool is_outlier(const LinearPanels& job, int64_t k) {
  return std::find(job.outliers, job.outliers + job.outlier_count, k) != job.outliers + job.outlier_count;
}

// The sums of an int8 layer before bias and what follows, [rows, out], in the very order of float32
// operations that is defined.
inline std::vector<float> int8_sums(const LinearPanels& job, const std::vector<float>& weight) {
  const std::vector<double> entering = entering_rows(job);
  std::vector<float> sums;
  std::vector<float> steps;
  std::vector<int32_t> q(weight.size());
  for (int64_t c = 0; c < job.out; ++c) {
    float largest = 0;
    for (int64_t k = 0; k < job.depth; ++k) {
      const float size = std::abs(weight[c * job.depth + k]);
      if (!is_outlier(job, k) && !(size <= largest)) largest = std::isnan(largest) ? largest : size;
    }
    steps.push_back(weight_step(largest));
    for (int64_t k = 0; k < job.depth; ++k) {
      const float w = is_outlier(job, k) ? 0 : weight[c * job.depth + k];
      q[c * job.depth + k] = int8_of_weight(w, steps.back());
    }
  }
  for (int64_t r = 0; r < job.rows; ++r) {
    std::vector<float> x(entering.begin() + r * job.depth, entering.begin() + (r + 1) * job.depth);
    float lowest = 0;
    float highest = 0;
    bool is_finite = true;
    for (int64_t k = 0; k < job.depth; ++k) {
      is_finite = is_finite && std::isfinite(x[k]);
      if (is_outlier(job, k)) continue;
      lowest = std::min(lowest, x[k]);
      highest = std::max(highest, x[k]);
    }
    const RowScale scale = row_scale(lowest, highest, is_finite);
    std::vector<int32_t> u(x.size());
    for (int64_t k = 0; k < job.depth; ++k) u[k] = int8_of_row(is_outlier(job, k) ? 0 : x[k], scale);
    for (int64_t c = 0; c < job.out; ++c) {
      int64_t whole = 0;
      for (int64_t k = 0; k < job.depth; ++k) whole += int64_t{u[k] - scale.zero} * q[c * job.depth + k];
      float sum = static_cast<float>(whole) * (scale.step * steps[c]);
      for (int64_t i = 0; i < job.outlier_count; ++i) {
        sum = std::fma(x[job.outliers[i]], weight[c * job.depth + job.outliers[i]], sum);
      }
      sums.push_back(sum);
    }
  }
  return sums;
}

// `job` with its weights as they were before they were packed, [out, depth] -> what job.dst holds then,
// [rows, out].
inline std::vector<double> linear(const LinearPanels& job, const std::vector<float>& weight,
                                  Precision precision) {
  const std::vector<double> x = entering_rows(job);
  const std::vector<float> sums =
      precision == Precision::int8 ? int8_sums(job, weight) : std::vector<float>();
  std::vector<double> dst;
  for (int64_t r = 0; r < job.rows; ++r) {
    for (int64_t c = 0; c < job.out; ++c) {
      double sum = job.bias[c];
      if (precision == Precision::int8) sum += sums[r * job.out + c];
      for (int64_t k = 0; k < job.depth && precision != Precision::int8; ++k) {
        sum += operand(x[r * job.depth + k], precision) * operand(weight[c * job.depth + k], precision);
      }
      if (job.epilogue == Epilogue::add) sum += job.dst[r * job.dst_row_stride + c];
      dst.push_back(activated(sum, job.epilogue));
    }
  }
  return dst;
}

// Softmax weights of one stream for a query, [keys].
inline std::vector<double> softmax_weights(const AttentionPanels& job, const ScoreStream& stream,
                                           int64_t head, int64_t query, Precision precision) {
  std::vector<double> weights(job.keys);
  for (int64_t j = 0; j < job.keys; ++j) {
    for (int m = 0; m < stream.member_count; ++m) {
      const HeadRows& queries = stream.members[m].queries;
      const HeadRows& keys = stream.members[m].keys;
      for (int64_t c = 0; c < k_head_width; ++c) {
        weights[j] += job.scale * operand(queries.head(head)[query * queries.row_stride + c], precision) *
                      operand(keys.head(head)[j * keys.row_stride + c], precision);
      }
    }
  }
  const double highest = *std::max_element(weights.begin(), weights.end());
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - highest);
  for (double& weight : weights) weight /= sum;
  return weights;
}

// [heads, queries, 64]. Rounded weights are divided by their own sum.
inline std::vector<double> attention(const AttentionPanels& job, Precision precision) {
  std::vector<double> dst;
  for (int64_t head = 0; head < job.heads; ++head) {
    for (int64_t query = 0; query < job.queries; ++query) {
      std::vector<double> weights(job.keys);
      for (int s = 0; s < job.stream_count; ++s) {
        const auto share = softmax_weights(job, job.streams[s], head, query, precision);
        for (int64_t j = 0; j < job.keys; ++j) weights[j] += share[j];
      }
      double total = 0;
      for (double& weight : weights) total += weight = operand(weight, precision);
      for (int64_t c = 0; c < k_head_width; ++c) {
        double sum = 0;
        for (int64_t j = 0; j < job.keys; ++j) {
          sum += weights[j] * operand(job.values.head(head)[j * job.values.row_stride + c], precision);
        }
        dst.push_back(precision == Precision::float32 ? sum : sum * job.stream_count / total);
      }
    }
  }
  return dst;
}

// [count, width].
inline std::vector<double> affinity(const AffinityPanels& job) {
  std::vector<double> dst;
  for (int64_t i = 0; i < job.count; ++i) {
    std::vector<double> weights(job.count);
    double total = 0;
    for (int64_t j = 0; j < job.count; ++j) {
      double cosine = 0;
      for (int64_t c = 0; c < job.depth; ++c) {
        cosine += static_cast<double>(job.features[i * job.depth + c]) * job.features[j * job.depth + c];
      }
      const double s = (cosine - job.shift) * job.gain;
      if (s >= 0) total += weights[j] = std::exp(s);
    }
    for (int64_t c = 0; c < job.width; ++c) {
      double sum = 0;
      for (int64_t j = 0; j < job.count; ++j) sum += weights[j] * job.values[j * job.values_stride + c];
      const double own = job.keeps_self ? job.values[i * job.values_stride + c] : std::nan("");
      dst.push_back(total == 0 ? own : sum / total);
    }
  }
  return dst;
}

// [count], with what job.best held before.
inline std::vector<double> nearest(const NearestPanels& job) {
  std::vector<double> dst;
  for (int64_t i = 0; i < job.count; ++i) {
    double best = job.best[i];
    for (int64_t j = 0; j < job.bank_rows; ++j) {
      double product = 0;
      for (int64_t c = 0; c < job.depth; ++c) {
        product += static_cast<double>(job.rows[i * job.depth + c]) * job.bank[j * job.depth + c];
      }
      best = std::max(best, product);
    }
    dst.push_back(best);
  }
  return dst;
}

}  // namespace crane::kernels::definitions
