// Collects the pictures of one class, from any number of threads, and computes its metrics.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "metrics/image_metrics.h"
#include "metrics/pixel_shard.h"
#include "metrics/result.h"

namespace crane::metrics {

// Memory belongs to the caller and is read during add() only.
struct MeasuredPicture {
  std::string name;  // for messages
  std::optional<double> score;
  std::optional<bool> is_anomalous;  // without it: whether the mask has an anomalous pixel
  const float* map = nullptr;        // [height, width]; may be absent
  const uint8_t* mask = nullptr;     // [height, width], 0 is normal; may be absent
  int64_t width = 0;
  int64_t height = 0;
};

class ClassEvaluator {
 public:
  // A picture enters whole or not at all. Thread-safe. Errors: E_IMAGE_NONFINITE (NaN as score or in the
  // map), E_IMAGE_SHAPE, E_USAGE (neither label nor mask); each names the picture.
  void add(const MeasuredPicture& picture);

  // What was added is not what was meant: finish() will throw this.
  void refuse(std::exception_ptr error);

  // Once, while nobody adds; gives the memory back.
  ClassResult finish(const EvaluateOptions& options, int threads);

 private:
  class BorrowedShard;

  void note(const MeasuredPicture& picture, bool is_anomalous, bool has_anomalous_pixel);

  std::mutex mutex_;  // of everything but a borrowed shard
  Remarks remarks_;
  std::vector<ImageScore> scores_;
  FullBuckets full_;
  std::vector<std::unique_ptr<PixelShard>> shards_;
  std::vector<PixelShard*> idle_;
  std::exception_ptr broken_;  // why something entered in part only
};

}  // namespace crane::metrics
