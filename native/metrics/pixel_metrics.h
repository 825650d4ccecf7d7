// Metrics over the pixels of one class.
#pragma once

#include <memory>
#include <vector>

#include "metrics/pixel_shard.h"
#include "metrics/result.h"

namespace crane::metrics {

// Consumes what the shards and the full buckets hold: their memory is given back while the walk goes on.
// `threads` does not change a bit of the result. Nobody may add meanwhile.
PixelResult pixel_metrics(const std::vector<std::unique_ptr<PixelShard>>& shards, FullBuckets& full,
                          const EvaluateOptions& options, int threads);

}  // namespace crane::metrics
