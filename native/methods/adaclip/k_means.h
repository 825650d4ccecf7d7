// k-means over few rows, seeded and the same everywhere (docs/methods/adaclip.md). No tensor library.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace crane::methods::adaclip {

// products [n * n]: the rows' inner products with each other, all that distances need -> a label below
// `clusters` for every row. Where fewer rows differ than there are clusters some labels are not given. Begins
// by k-means++ with 2 + ln(clusters) candidates a centre, drawn by a 64-bit Mersenne twister from `seed`, and
// goes on until no label changes, 300 times at most; the lower number wins where two centres are equally
// near.
std::vector<int64_t> k_means(std::span<const double> products, int64_t clusters, uint64_t seed);

}  // namespace crane::methods::adaclip
