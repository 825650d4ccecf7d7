#include "image/regions.h"

#include <algorithm>

#include "image/picture.h"

namespace crane::image {
namespace {

// Pixels [begin, end) of one row, part of the component `label`.
struct Run {
  int64_t begin;
  int64_t end;
  int64_t label;
};

struct Component {
  int64_t parent;  // itself: the root of its tree
  int64_t left;
  int64_t right;  // one past the last column
  int64_t top;
  int64_t bottom;  // one past the last row
  int64_t area;
  double sum;
  float peak;
};

// Components in the order of their first pixel, joined as rows show that they touch.
class Components {
 public:
  int64_t add(const Component& component) {
    components_.push_back(component);
    return components_.back().parent = static_cast<int64_t>(components_.size()) - 1;
  }

  int64_t root(int64_t label) {
    while (components_[label].parent != label) {
      components_[label].parent = components_[components_[label].parent].parent;
      label = components_[label].parent;
    }
    return label;
  }

  // The earlier label stays the root: it names the first pixel.
  int64_t join(int64_t a, int64_t b) {
    a = root(a);
    b = root(b);
    if (a == b) return a;
    if (b < a) std::swap(a, b);
    absorb(components_[a], components_[b]);
    components_[b].parent = a;
    return a;
  }

  std::vector<Region> regions() const {
    std::vector<Region> regions;
    for (size_t label = 0; label < components_.size(); ++label) {
      const Component& c = components_[label];
      if (c.parent != static_cast<int64_t>(label)) continue;
      regions.push_back({.x = c.left,
                         .y = c.top,
                         .width = c.right - c.left,
                         .height = c.bottom - c.top,
                         .area = c.area,
                         .peak = c.peak,
                         .mean = c.sum / static_cast<double>(c.area)});
    }
    return regions;
  }

 private:
  static void absorb(Component& into, const Component& from) {
    into.left = std::min(into.left, from.left);
    into.right = std::max(into.right, from.right);
    into.top = std::min(into.top, from.top);
    into.bottom = std::max(into.bottom, from.bottom);
    into.area += from.area;
    into.sum += from.sum;
    into.peak = std::max(into.peak, from.peak);
  }

  std::vector<Component> components_;
};

Component component_of(const float* row, int64_t begin, int64_t end, int64_t y) {
  Component c{.parent = -1,
              .left = begin,
              .right = end,
              .top = y,
              .bottom = y + 1,
              .area = end - begin,
              .sum = 0.0,
              .peak = row[begin]};
  for (int64_t x = begin; x < end; ++x) {
    c.sum += row[x];
    c.peak = std::max(c.peak, row[x]);
  }
  return c;
}

}  // namespace

std::vector<Region> find_regions(const float* map, int64_t width, int64_t height, double threshold) {
  check_size("map", width, height);
  Components components;
  std::vector<Run> above;
  std::vector<Run> runs;
  for (int64_t y = 0; y < height; ++y) {
    const float* row = map + y * width;
    runs.clear();
    size_t first = 0;  // runs above before this one end too early to touch any further run
    for (int64_t x = 0; x < width;) {
      if (!(row[x] >= threshold)) {
        ++x;
        continue;
      }
      const int64_t begin = x;
      while (x < width && row[x] >= threshold) ++x;
      int64_t label = components.add(component_of(row, begin, x, y));
      // Neighbours include diagonals: a run above touches from column begin - 1 to column x.
      while (first < above.size() && above[first].end < begin) ++first;
      for (size_t i = first; i < above.size() && above[i].begin <= x; ++i) {
        label = components.join(label, above[i].label);
      }
      runs.push_back({begin, x, label});
    }
    std::swap(above, runs);
  }
  std::vector<Region> regions = components.regions();
  std::stable_sort(regions.begin(), regions.end(),
                   [](const Region& a, const Region& b) { return a.peak > b.peak; });
  return regions;
}

}  // namespace crane::image
