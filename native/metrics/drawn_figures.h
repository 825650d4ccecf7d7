// The figures of one class for many draws of its pictures with replacement: what ClassEvaluator gives for
// each drawn list, computed from pixels that are sorted once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/class_evaluator.h"

namespace crane::metrics {

enum class DrawnFigure { image_auroc, image_ap, image_f1, pixel_auroc, pixel_ap, pixel_f1, aupro };
constexpr size_t k_drawn_figures = 7;

// By DrawnFigure; NaN where a figure is undefined for the draw.
using DrawnFigures = std::array<double, k_drawn_figures>;

class DrawnPictures {
 public:
  // As ClassEvaluator::add, from one thread. Errors: the same.
  void add(const MeasuredPicture& picture);

  // draws: how often each picture is taken, in the order in which they were added. AUPRO's is the exact one
  // at `limit`. Errors: E_USAGE for a draw of another length, a limit outside (0, 1].
  std::vector<DrawnFigures> figures(std::span<const std::vector<uint32_t>> draws, double limit, int threads);

 private:
  struct Region {
    uint32_t picture;
    Overlap of_pixel;
  };
  // `pixels` of one picture, or of one region, with the same score or between two steps.
  struct Part {
    uint32_t of;
    uint32_t pixels;
  };
  // One distinct score that an anomalous pixel of any picture has, from the highest down.
  struct Step {
    double score;
    size_t above_end;      // parts of normal pixels between the step before and this score
    size_t same_end;       // of normal pixels with this score
    size_t anomalous_end;  // of anomalous pixels, by region
  };

  void sort_pixels();
  void add_pixel_figures(const std::vector<uint32_t>& times, double limit, DrawnFigures& figures) const;
  void add_image_figures(const std::vector<uint32_t>& times, DrawnFigures& figures) const;

  struct Image {
    std::optional<double> score;
    bool is_anomalous;
    uint64_t normal_pixels = 0;
    uint64_t anomalous_pixels = 0;
    uint64_t regions = 0;
  };

  std::vector<Image> images_;
  std::vector<Region> regions_;
  // key, then the picture of a normal pixel or k_anomalous + the region of an anomalous one
  std::vector<uint64_t> pixels_;
  std::vector<Part> parts_;
  std::vector<Step> steps_;
  size_t tail_begin_ = 0;  // parts of normal pixels below the last step
};

}  // namespace crane::metrics
