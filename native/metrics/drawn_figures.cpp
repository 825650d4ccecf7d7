#include "metrics/drawn_figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "metrics/image_metrics.h"
#include "metrics/mask_regions.h"
#include "metrics/parallel.h"
#include "metrics/pro_integral.h"
#include "metrics/ranking_sums.h"
#include "metrics/score_key.h"

namespace crane::metrics {
namespace {

constexpr uint64_t k_anomalous = uint64_t{1} << 31;  // of the lower half of a pixel
constexpr double k_undefined = std::numeric_limits<double>::quiet_NaN();

double& at(DrawnFigures& figures, DrawnFigure which) { return figures[static_cast<size_t>(which)]; }

// NaN where it is undefined.
double value_of(const Metric& metric) { return metric.value.value_or(k_undefined); }

// Pixels of pictures or regions, gathered until they become parts.
class Gathered {
 public:
  explicit Gathered(size_t most) : pixels_(most) {}
  void add(uint32_t of) {
    if (pixels_[of]++ == 0) touched_.push_back(of);
  }
  template <typename Part>
  void move_to(std::vector<Part>& parts) {
    for (const uint32_t of : touched_) {
      parts.push_back({of, pixels_[of]});
      pixels_[of] = 0;
    }
    touched_.clear();
  }

 private:
  std::vector<uint32_t> pixels_;
  std::vector<uint32_t> touched_;
};

}  // namespace

void DrawnPictures::add(const MeasuredPicture& picture) {
  // The evaluator's own checks and its rule which pixels count.
  ClassEvaluator().add(picture);
  MaskRegions mask;
  if (picture.mask != nullptr) mask = label_mask(picture.mask, picture.width, picture.height);
  Image image{picture.score, picture.is_anomalous.value_or(!mask.areas.empty())};
  const auto place = static_cast<uint32_t>(images_.size());
  if (picture.map != nullptr && (picture.mask != nullptr || !image.is_anomalous)) {
    check_input(regions_.size() + mask.areas.size() + images_.size() < k_anomalous, "E_MEMORY",
                "more than 2^31 regions in one class");
    const auto first_region = regions_.size();
    for (const uint64_t area : mask.areas) regions_.push_back({place, overlap_of_pixel(area)});
    const auto append = [&](int64_t from, int64_t to, uint64_t of) {
      for (int64_t i = from; i < to; ++i) pixels_.push_back(uint64_t{key_of(picture.map[i])} << 32 | of);
    };
    const int64_t count = picture.width * picture.height;
    int64_t begin = 0;
    for (const MaskRun& run : mask.runs) {
      append(begin, run.begin, place);
      append(run.begin, run.end, k_anomalous + first_region + run.region);
      image.anomalous_pixels += static_cast<uint64_t>(run.end - run.begin);
      begin = run.end;
    }
    append(begin, count, place);
    image.normal_pixels = static_cast<uint64_t>(count) - image.anomalous_pixels;
    image.regions = mask.areas.size();
  }
  images_.push_back(image);
}

// Normal pixels between two scores of anomalous ones need no order among themselves, only a number for each
// picture.
void DrawnPictures::sort_pixels() {
  std::sort(pixels_.begin(), pixels_.end(), std::greater<>());
  Gathered above(images_.size());
  Gathered same(images_.size());
  Gathered anomalous(regions_.size());
  for (size_t i = 0; i < pixels_.size();) {
    const uint64_t key = pixels_[i] >> 32;
    size_t end = i;
    // Of one score the anomalous ones come first.
    const bool is_step = (pixels_[i] & k_anomalous) != 0;
    for (; end < pixels_.size() && pixels_[end] >> 32 == key; ++end) {
      const auto of = static_cast<uint32_t>(pixels_[end] & (k_anomalous - 1));
      if ((pixels_[end] & k_anomalous) != 0) {
        anomalous.add(of);
      } else {
        (is_step ? same : above).add(of);
      }
    }
    if (is_step) {
      Step step{score_of(static_cast<Key>(key)), 0, 0, 0};
      above.move_to(parts_);
      step.above_end = parts_.size();
      same.move_to(parts_);
      step.same_end = parts_.size();
      anomalous.move_to(parts_);
      step.anomalous_end = parts_.size();
      steps_.push_back(step);
    }
    i = end;
  }
  tail_begin_ = parts_.size();
  above.move_to(parts_);
  pixels_ = {};
}

void DrawnPictures::add_pixel_figures(const std::vector<uint32_t>& times, double limit,
                                      DrawnFigures& figures) const {
  Counts total;
  uint64_t regions = 0;
  for (size_t i = 0; i < images_.size(); ++i) {
    total.normal += images_[i].normal_pixels * times[i];
    total.anomalous += images_[i].anomalous_pixels * times[i];
    regions += images_[i].regions * times[i];
  }
  if (total.normal == 0 || total.anomalous == 0) return;
  RankingSums sums(Counts{}, total.anomalous);
  ProIntegral pro(limit, total.normal);
  size_t part = 0;
  const auto normals_until = [&](size_t end) {
    uint64_t count = 0;
    for (; part < end; ++part) count += uint64_t{parts_[part].pixels} * times[parts_[part].of];
    return count;
  };
  uint64_t waiting = 0;  // normal pixels since the last score that an anomalous one of the draw has
  const auto pass_waiting = [&] {
    if (waiting == 0) return;
    pro.segment(sums.at(), {.normal = waiting});
    sums.normals(waiting);
    waiting = 0;
  };
  for (const Step& step : steps_) {
    waiting += normals_until(step.above_end);
    Counts here{.normal = normals_until(step.same_end)};
    for (; part < step.anomalous_end; ++part) {
      const Region& region = regions_[parts_[part].of];
      const uint64_t pixels = uint64_t{parts_[part].pixels} * times[region.picture];
      here.anomalous += pixels;
      here.overlap += region.of_pixel * pixels;
    }
    if (here.anomalous == 0) {
      waiting += here.normal;
      continue;
    }
    pass_waiting();
    pro.segment(sums.at(), here);
    sums.score(step.score, here);
  }
  waiting += normals_until(parts_.size());
  pass_waiting();
  at(figures, DrawnFigure::pixel_auroc) = sums.auroc();
  at(figures, DrawnFigure::pixel_ap) = sums.average_precision();
  at(figures, DrawnFigure::pixel_f1) = value_of(sums.best_f1().f1);
  at(figures, DrawnFigure::aupro) = pro.value(regions);
}

void DrawnPictures::add_image_figures(const std::vector<uint32_t>& times, DrawnFigures& figures) const {
  std::vector<ImageScore> scores;
  for (size_t i = 0; i < images_.size(); ++i) {
    if (images_[i].score) scores.insert(scores.end(), times[i], {*images_[i].score, images_[i].is_anomalous});
  }
  const Ranking ranking = image_metrics(std::move(scores), {});
  at(figures, DrawnFigure::image_auroc) = value_of(ranking.auroc);
  at(figures, DrawnFigure::image_ap) = value_of(ranking.average_precision);
  at(figures, DrawnFigure::image_f1) = value_of(ranking.best_f1.f1);
}

std::vector<DrawnFigures> DrawnPictures::figures(std::span<const std::vector<uint32_t>> draws, double limit,
                                                 int threads) {
  check_input(limit > 0 && limit <= 1, "E_USAGE", "a limit of ", limit, ", expected one in (0, 1]");
  for (const auto& times : draws) {
    check_input(times.size() == images_.size(), "E_USAGE", "a draw of ", times.size(), " numbers for ",
                images_.size(), " pictures");
  }
  if (!pixels_.empty()) sort_pixels();
  DrawnFigures none;
  none.fill(k_undefined);
  std::vector<DrawnFigures> all(draws.size(), none);
  parallel_for(draws.size(), threads, [&](size_t draw, int /*thread*/) {
    add_image_figures(draws[draw], all[draw]);
    add_pixel_figures(draws[draw], limit, all[draw]);
  });
  return all;
}

}  // namespace crane::metrics
