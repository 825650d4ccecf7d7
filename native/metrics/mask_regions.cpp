#include "metrics/mask_regions.h"

#include <cstring>
#include <numeric>
#include <utility>

namespace crane::metrics {
namespace {

// First index in [begin, end) with a value other than 0, else end. Masks are mostly empty: eight bytes at a
// time.
int64_t find_anomalous(const uint8_t* mask, int64_t begin, int64_t end) {
  while (begin + 8 <= end) {
    uint64_t word;
    std::memcpy(&word, mask + begin, sizeof word);
    if (word != 0) break;
    begin += 8;
  }
  while (begin < end && mask[begin] == 0) ++begin;
  return begin;
}

int64_t find_normal(const uint8_t* mask, int64_t begin, int64_t end) {
  const void* found = std::memchr(mask + begin, 0, static_cast<size_t>(end - begin));
  return found == nullptr ? end : static_cast<const uint8_t*>(found) - mask;
}

class Labels {
 public:
  uint32_t add() {
    parents_.push_back(static_cast<uint32_t>(parents_.size()));
    return parents_.back();
  }
  uint32_t root(uint32_t label) {
    while (parents_[label] != label) label = parents_[label] = parents_[parents_[label]];
    return label;
  }
  // The earlier label stays the root: it names the first pixel.
  uint32_t join(uint32_t a, uint32_t b) {
    a = root(a);
    b = root(b);
    if (b < a) std::swap(a, b);
    parents_[b] = a;
    return a;
  }
  size_t size() const { return parents_.size(); }

 private:
  std::vector<uint32_t> parents_;
};

// Roots numbered in order, and the pixels of each counted.
void number_regions(Labels& labels, MaskRegions& result) {
  std::vector<uint32_t> numbers(labels.size());
  uint32_t count = 0;
  for (uint32_t label = 0; label < numbers.size(); ++label) {
    const uint32_t root = labels.root(label);
    numbers[label] = root == label ? count++ : numbers[root];
  }
  result.areas.assign(count, 0);
  for (MaskRun& run : result.runs) {
    run.region = numbers[run.region];
    result.areas[run.region] += static_cast<uint64_t>(run.end - run.begin);
  }
}

}  // namespace

MaskRegions label_mask(const uint8_t* mask, int64_t width, int64_t height) {
  MaskRegions result;
  Labels labels;
  size_t above_begin = 0;  // runs of the row above: [above_begin, above_end)
  size_t above_end = 0;
  for (int64_t y = 0; y < height; ++y) {
    const int64_t row = y * width;
    const int64_t row_end = row + width;
    const size_t row_begin = result.runs.size();
    size_t first = above_begin;  // runs above before this one end too early to touch any further run
    for (int64_t x = find_anomalous(mask, row, row_end); x < row_end;) {
      const int64_t end = find_normal(mask, x, row_end);
      uint32_t label = labels.add();
      // Diagonal neighbours count: a run above touches when it reaches column begin - 1 or starts at column
      // end.
      while (first < above_end && result.runs[first].end + width < x) ++first;
      for (size_t i = first; i < above_end && result.runs[i].begin + width <= end; ++i) {
        label = labels.join(label, result.runs[i].region);
      }
      result.runs.push_back({x, end, label});
      x = find_anomalous(mask, end, row_end);
    }
    above_begin = row_begin;
    above_end = result.runs.size();
  }
  number_regions(labels, result);
  return result;
}

}  // namespace crane::metrics
