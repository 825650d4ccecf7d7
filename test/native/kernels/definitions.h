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

// `job` with its weights as they were before they were packed, [out, depth] -> what job.dst holds then,
// [rows, out].
inline std::vector<double> linear(const LinearPanels& job, const std::vector<float>& weight,
                                  Precision precision) {
  std::vector<double> dst;
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
    for (int64_t c = 0; c < job.out; ++c) {
      double sum = job.bias[c];
      for (int64_t k = 0; k < job.depth; ++k) {
        sum += operand(x[k], precision) * operand(weight[c * job.depth + k], precision);
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
