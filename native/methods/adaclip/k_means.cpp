#include "methods/adaclip/k_means.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace crane::methods::adaclip {
namespace {

constexpr int k_iterations = 300;
// Squared distances below this part of the longest row's square are rounding: the rows are equal.
constexpr double k_equal = 1e-12;

class Rows {
 public:
  explicit Rows(std::span<const double> products)
      : products_(products),
        count_(static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(products.size()))))) {
    for (int64_t i = 0; i < count_; ++i) longest_ = std::max(longest_, product(i, i));
  }

  int64_t count() const { return count_; }
  double product(int64_t i, int64_t j) const { return products_[static_cast<size_t>(i * count_ + j)]; }
  // Squared, 0 for rows that are equal.
  double distance(int64_t i, int64_t j) const {
    return settled(product(i, i) - 2 * product(i, j) + product(j, j));
  }
  double settled(double squared) const { return squared > k_equal * longest_ ? squared : 0; }

 private:
  std::span<const double> products_;
  int64_t count_;
  double longest_ = 0;
};

double uniform(std::mt19937_64& generator) { return static_cast<double>(generator() >> 11) * 0x1p-53; }

// The row that `share` of the whole weight falls on.
int64_t row_at(const std::vector<double>& weights, double share) {
  double left = share * std::accumulate(weights.begin(), weights.end(), 0.0);
  int64_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = static_cast<int64_t>(i);
    if (left < weights[i]) return last;
    left -= weights[i];
  }
  return last;
}

// Rows that the centres begin at; fewer than `clusters` where no further row differs from all of them.
std::vector<int64_t> first_centres(const Rows& rows, int64_t clusters, std::mt19937_64& generator) {
  const int candidates = 2 + static_cast<int>(std::log(static_cast<double>(clusters)));
  const auto n = static_cast<double>(rows.count());
  std::vector<int64_t> centres{std::min(rows.count() - 1, static_cast<int64_t>(uniform(generator) * n))};
  std::vector<double> nearest;
  for (int64_t i = 0; i < rows.count(); ++i) nearest.push_back(rows.distance(i, centres[0]));
  while (static_cast<int64_t>(centres.size()) < clusters) {
    if (*std::max_element(nearest.begin(), nearest.end()) == 0) break;
    double least = std::numeric_limits<double>::infinity();
    std::vector<double> best;
    int64_t chosen = 0;
    for (int c = 0; c < candidates; ++c) {
      const int64_t candidate = row_at(nearest, uniform(generator));
      std::vector<double> then = nearest;
      double sum = 0;
      for (int64_t i = 0; i < rows.count(); ++i) {
        double& own = then[static_cast<size_t>(i)];
        own = std::min(own, rows.distance(i, candidate));
        sum += own;
      }
      if (sum >= least) continue;
      least = sum;
      best = std::move(then);
      chosen = candidate;
    }
    centres.push_back(chosen);
    nearest = std::move(best);
  }
  return centres;
}

// Squared distances of every row to the mean of every cluster, [n * clusters]; infinite to one without rows.
std::vector<double> distances_to_means(const Rows& rows, const std::vector<int64_t>& labels,
                                       int64_t clusters) {
  const auto k = static_cast<size_t>(clusters);
  std::vector<double> sizes(k);
  std::vector<double> within(k);  // the sum of all products inside a cluster
  std::vector<double> towards(labels.size() * k);
  for (size_t i = 0; i < labels.size(); ++i) sizes[static_cast<size_t>(labels[i])] += 1;
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t j = 0; j < labels.size(); ++j) {
      const double product = rows.product(static_cast<int64_t>(i), static_cast<int64_t>(j));
      towards[i * k + static_cast<size_t>(labels[j])] += product;
      if (labels[i] == labels[j]) within[static_cast<size_t>(labels[i])] += product;
    }
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const double own = rows.product(static_cast<int64_t>(i), static_cast<int64_t>(i));
    for (size_t c = 0; c < k; ++c) {
      double& distance = towards[i * k + c];
      distance = sizes[c] == 0 ? std::numeric_limits<double>::infinity()
                               : own - 2 * distance / sizes[c] + within[c] / (sizes[c] * sizes[c]);
    }
  }
  return towards;
}

int64_t nearest_of(const double* distances, int64_t clusters) {
  return std::min_element(distances, distances + clusters) - distances;
}

}  // namespace

std::vector<int64_t> k_means(std::span<const double> products, int64_t clusters, uint64_t seed) {
  const Rows rows(products);
  if (rows.count() == 0) return {};
  std::mt19937_64 generator(seed);
  const std::vector<int64_t> centres = first_centres(rows, clusters, generator);
  const auto k = static_cast<int64_t>(centres.size());
  std::vector<int64_t> labels;
  labels.reserve(static_cast<size_t>(rows.count()));
  for (int64_t i = 0; i < rows.count(); ++i) {
    std::vector<double> distances;
    distances.reserve(centres.size());
    for (const int64_t centre : centres) distances.push_back(rows.distance(i, centre));
    labels.push_back(nearest_of(distances.data(), k));
  }
  for (int iteration = 0; iteration < k_iterations; ++iteration) {
    const std::vector<double> distances = distances_to_means(rows, labels, k);
    std::vector<int64_t> next;
    for (int64_t i = 0; i < rows.count(); ++i) next.push_back(nearest_of(distances.data() + i * k, k));
    if (next == labels) break;
    labels = std::move(next);
  }
  return labels;
}

}  // namespace crane::methods::adaclip
