#include "metrics/anomalous_scores.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace crane::metrics {
namespace {

constexpr size_t k_too_few_for_digits = 128;

// One pass of a least-significant-digit radix sort: stable, by the eight bits from `shift` on.
void sort_by_digit(std::span<const AnomalousPixel> src, AnomalousPixel* dst, int shift) {
  std::array<size_t, 256> places{};
  for (const AnomalousPixel pixel : src) ++places[(pixel >> shift) & 255];
  size_t next = 0;
  for (size_t& place : places) next += std::exchange(place, next);
  for (const AnomalousPixel pixel : src) dst[places[(pixel >> shift) & 255]++] = pixel;
}

void sort_by_score(std::span<AnomalousPixel> pixels, std::vector<AnomalousPixel>& scratch) {
  if (pixels.size() < k_too_few_for_digits) {
    std::sort(pixels.begin(), pixels.end());
    return;
  }
  if (scratch.size() < pixels.size()) scratch.resize(pixels.size());
  sort_by_digit(pixels, scratch.data(), 32);
  sort_by_digit({scratch.data(), pixels.size()}, pixels.data(), 40);
}

}  // namespace

void gather_scores(std::span<AnomalousPixel> pixels, std::span<const Overlap> weights,
                   std::vector<AnomalousPixel>& scratch, std::vector<AnomalousScore>& result) {
  sort_by_score(pixels, scratch);
  result.clear();
  for (const AnomalousPixel pixel : pixels) {
    const auto low = static_cast<uint32_t>(pixel >> 32);
    if (result.empty() || result.back().low != low) result.push_back({low, 0, 0});
    ++result.back().pixels;
    result.back().overlap += weights[static_cast<uint32_t>(pixel)];
  }
}

std::vector<AnomalousScore> merge_scores(std::span<const AnomalousScore> a,
                                         std::span<const AnomalousScore> b) {
  std::vector<AnomalousScore> merged;
  merged.reserve(a.size() + b.size());
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() || j < b.size()) {
    const bool takes_a = j == b.size() || (i < a.size() && a[i].low <= b[j].low);
    const bool takes_b = i == a.size() || (j < b.size() && b[j].low <= a[i].low);
    AnomalousScore score = takes_a ? a[i] : b[j];
    if (takes_a && takes_b) {
      score.pixels += b[j].pixels;
      score.overlap += b[j].overlap;
    }
    i += takes_a;
    j += takes_b;
    merged.push_back(score);
  }
  return merged;
}

}  // namespace crane::metrics
