#include "methods/adaclip/k_means.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace crane::methods::adaclip {
namespace {

using Points = std::vector<std::vector<double>>;

std::vector<double> products(const Points& points) {
  std::vector<double> all;
  for (const auto& a : points) {
    for (const auto& b : points) {
      double sum = 0;
      for (size_t d = 0; d < a.size(); ++d) sum += a[d] * b[d];
      all.push_back(sum);
    }
  }
  return all;
}

// `groups` clouds of five points, far from each other.
Points clouds(int groups) {
  std::mt19937 random(3);
  Points points;
  for (int i = 0; i < groups * 5; ++i) {
    std::vector<double> point(static_cast<size_t>(groups));
    for (double& value : point) value = static_cast<double>(random() % 100) / 1000;
    point[static_cast<size_t>(i % groups)] += 10;
    points.push_back(std::move(point));
  }
  return points;
}

TEST(KMeans, FindsCloudsThatLieApartWhateverTheSeed) {
  const Points points = clouds(4);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<int64_t> labels = k_means(products(points), 4, seed);
    EXPECT_EQ(std::set<int64_t>(labels.begin(), labels.end()).size(), 4u) << seed;
    for (size_t i = 4; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i % 4]) << seed;
  }
}

TEST(KMeans, EveryRowIsNearestToTheMeanOfItsOwnCluster) {
  std::mt19937 random(11);
  Points points;
  for (int i = 0; i < 60; ++i) {
    std::vector<double> point;
    for (int d = 0; d < 5; ++d) point.push_back(static_cast<double>(random() % 1000) / 100);
    points.push_back(std::move(point));
  }
  const std::vector<int64_t> labels = k_means(products(points), 7, 1);
  Points means(7, std::vector<double>(5));
  std::vector<double> sizes(7);
  for (size_t i = 0; i < points.size(); ++i) {
    sizes[static_cast<size_t>(labels[i])] += 1;
    for (size_t d = 0; d < 5; ++d) means[static_cast<size_t>(labels[i])][d] += points[i][d];
  }
  const auto distance = [&](size_t i, size_t cluster) {
    double sum = 0;
    for (size_t d = 0; d < 5; ++d) {
      const double off = points[i][d] - means[cluster][d] / sizes[cluster];
      sum += off * off;
    }
    return sum;
  };
  for (size_t i = 0; i < points.size(); ++i) {
    for (size_t cluster = 0; cluster < 7; ++cluster) {
      ASSERT_GT(sizes[cluster], 0);
      EXPECT_LE(distance(i, static_cast<size_t>(labels[i])), distance(i, cluster) + 1e-9);
    }
  }
}

TEST(KMeans, SameSeedGivesTheSameLabelsAndSeedsMatter) {
  std::mt19937 random(5);
  Points points;
  for (int i = 0; i < 80; ++i) {
    points.push_back({static_cast<double>(random() % 1000), static_cast<double>(random() % 1000)});
  }
  std::set<std::vector<int64_t>> different;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto labels = k_means(products(points), 9, seed);
    EXPECT_EQ(labels, k_means(products(points), 9, seed));
    different.insert(labels);
  }
  EXPECT_GT(different.size(), 1u);
}

TEST(KMeans, EqualRowsShareALabelAndFewerKindsThanClustersLeaveSomeEmpty) {
  const Points three{{0.1, 0.7}, {0.3, 0.2}, {0.9, 0.4}};
  Points points;
  for (int i = 0; i < 12; ++i) points.push_back(three[static_cast<size_t>(i % 3)]);
  const auto labels = k_means(products(points), 5, 2);
  EXPECT_EQ(std::set<int64_t>(labels.begin(), labels.end()).size(), 3u);
  for (size_t i = 3; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i % 3]);
  const Points same(6, {0.5, 0.25});
  EXPECT_EQ(k_means(products(same), 5, 2), std::vector<int64_t>(6, 0));
  EXPECT_EQ(k_means(products({{1.0}}), 20, 0), std::vector<int64_t>{0});
  EXPECT_TRUE(k_means({}, 20, 0).empty());
}

}  // namespace
}  // namespace crane::methods::adaclip
