#include "metrics/class_evaluator.h"

#include <cmath>
#include <limits>
#include <new>

#include "metrics/pixel_metrics.h"

namespace crane::metrics {

// One of the shards, for as long as a picture is added to it: there are as many as pictures that were added
// at once.
class ClassEvaluator::BorrowedShard {
 public:
  explicit BorrowedShard(ClassEvaluator& owner) : owner_(owner) {
    const std::lock_guard lock(owner_.mutex_);
    if (owner_.idle_.empty()) {
      owner_.shards_.push_back(std::make_unique<PixelShard>(owner_.full_));
      owner_.idle_.reserve(owner_.shards_.size());
      shard_ = owner_.shards_.back().get();
    } else {
      shard_ = owner_.idle_.back();
      owner_.idle_.pop_back();
    }
  }
  ~BorrowedShard() {
    const std::lock_guard lock(owner_.mutex_);
    owner_.idle_.push_back(shard_);
  }
  BorrowedShard(const BorrowedShard&) = delete;
  BorrowedShard& operator=(const BorrowedShard&) = delete;

  PixelShard* operator->() const { return shard_; }

 private:
  ClassEvaluator& owner_;
  PixelShard* shard_;
};

void ClassEvaluator::add(const MeasuredPicture& picture) {
  check_input(!picture.score || !std::isnan(*picture.score), "E_IMAGE_NONFINITE", picture.name,
              ": the score is NaN");
  check_input(picture.is_anomalous || picture.mask != nullptr, "E_USAGE", picture.name,
              ": needs a label or a mask");
  const bool has_pixels = picture.map != nullptr || picture.mask != nullptr;
  check_input(!has_pixels || (picture.width > 0 && picture.height > 0 &&
                              picture.height <= std::numeric_limits<int32_t>::max() / picture.width),
              "E_IMAGE_SHAPE", picture.name, ": ", picture.width, " x ", picture.height,
              " is no size of a map");
  const int64_t count = has_pixels ? picture.width * picture.height : 0;
  ScoreRange range;
  if (picture.map != nullptr) {
    check_input(find_range(picture.map, static_cast<size_t>(count), range), "E_IMAGE_NONFINITE", picture.name,
                ": the map holds NaN");
  }
  MaskRegions mask;
  if (picture.mask != nullptr) mask = label_mask(picture.mask, picture.width, picture.height);
  const bool has_anomalous_pixel = !mask.areas.empty();
  const bool is_anomalous = picture.is_anomalous.value_or(has_anomalous_pixel);
  const bool has_truth = picture.mask != nullptr || !is_anomalous;
  std::optional<BorrowedShard> shard;
  if (picture.map != nullptr && has_truth) shard.emplace(*this);
  // Its score enters whole or not at all, and before its pixels, of which some may be in when memory runs
  // out.
  note(picture, is_anomalous, has_anomalous_pixel);
  if (!shard) return;
  try {
    (*shard)->add(picture.map, count, mask, range);
  } catch (...) {
    refuse(std::current_exception());
    throw;
  }
}

void ClassEvaluator::note(const MeasuredPicture& picture, bool is_anomalous, bool has_anomalous_pixel) {
  const std::lock_guard lock(mutex_);
  if (picture.score) scores_.push_back({*picture.score, is_anomalous});
  ++remarks_.pictures;
  remarks_.without_score += !picture.score;
  remarks_.without_map += picture.map == nullptr;
  remarks_.anomalous_without_mask += is_anomalous && picture.mask == nullptr;
  remarks_.anomalous_with_empty_mask += is_anomalous && picture.mask != nullptr && !has_anomalous_pixel;
  remarks_.normal_with_anomalous_pixels += !is_anomalous && has_anomalous_pixel;
}

void ClassEvaluator::refuse(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!broken_) broken_ = std::move(error);
}

ClassResult ClassEvaluator::finish(const EvaluateOptions& options, int threads) {
  try {
    if (broken_) std::rethrow_exception(broken_);
  } catch (const std::bad_alloc&) {
    throw Error("E_MEMORY", "memory ran out while a picture of this class was added",
                "finish each class before the next one begins");
  }
  ClassResult result{remarks_, image_metrics(std::move(scores_), options),
                     pixel_metrics(shards_, full_, options, threads)};
  idle_.clear();
  shards_.clear();
  return result;
}

}  // namespace crane::metrics
