#include "image/resample.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/error.h"
#include "image/resample16.h"
#include "image/resample_faces.h"

namespace crane::image {
namespace {

constexpr int64_t k_max_held_bytes = int64_t{1} << 31;
constexpr int64_t k_max_batch = 16;

// What differs between 8 and 16 bits: the kind of weights, the passes, and how many rows the horizontal pass
// likes to get at once.
struct Passes8 {
  using Sample = uint8_t;
  using Taps = FixedTaps;

  static constexpr auto k_taps = fixed_taps;
  static int64_t batch(int channels) { return channels >= 3 ? 4 : 16 / channels; }

  void horizontal(const Taps& taps, int64_t origin, const Sample* const* src, int64_t rows, int channels,
                  Sample* const* dst) {
    face.horizontal(taps, origin, src, rows, channels, dst, scratch);
  }
  void vertical(const Taps& taps, int64_t output, const Sample* const* src, int64_t length, Sample* dst) {
    face.vertical(taps, output, src, length, dst);
  }

  const ResampleFace& face = resample_face();
  std::vector<uint8_t> scratch;
};

struct Passes16 {
  using Sample = uint16_t;
  using Taps = DoubleTaps;

  static constexpr auto k_taps = double_taps;
  static int64_t batch(int /*channels*/) { return k_rows_16; }

  void horizontal(const Taps& taps, int64_t origin, const Sample* const* src, int64_t rows, int /*channels*/,
                  Sample* const* dst) {
    horizontal_16(taps, origin, src, rows, dst, scratch);
  }
  void vertical(const Taps& taps, int64_t output, const Sample* const* src, int64_t length, Sample* dst) {
    vertical_16(taps, output, src, length, dst);
  }

  std::vector<double> scratch;
};

// A fixed number of rows with slack behind each, addressed by row number modulo that count.
template <typename Sample>
class Rows {
 public:
  Rows(int64_t count, int64_t samples)
      : count_(count), stride_((samples + k_row_slack) / k_row_slack * k_row_slack + k_row_slack) {
    check_input(count <= k_max_held_bytes / static_cast<int64_t>(sizeof(Sample)) / stride_,
                "E_IMAGE_TOO_LARGE", "resize needs ", count, " rows of ", samples,
                " samples at once, at most ", k_max_held_bytes, " bytes");
    samples_.resize(static_cast<size_t>(count_ * stride_));
  }

  Sample* operator[](int64_t row) { return samples_.data() + row % count_ * stride_; }

 private:
  int64_t count_;
  int64_t stride_;
  std::vector<Sample> samples_;
};

template <typename Passes>
class Stream {
 public:
  using Sample = typename Passes::Sample;
  using Taps = typename Passes::Taps;

  Stream(const Resampling& job, const LoadRow<Sample>& load, const TakeRow<Sample>& take)
      : job_(job),
        load_(load),
        take_(take),
        columns_(taps_if(job.src_width, job.dst_width, job.region.x, job.region.width)),
        lines_(taps_if(job.src_height, job.dst_height, job.region.y, job.region.height)),
        columns_first_(columns_ && !(lines_ && is_vertical_first(job))),
        columns_last_(columns_ && !columns_first_),
        src_x_(columns_ ? columns_->begin() : job.region.x),
        src_pixels_(columns_ ? columns_->end() - src_x_ : job.region.width),
        batch_(Passes::batch(job.channels)),
        row_samples_((columns_last_ ? src_pixels_ : job.region.width) * job.channels),
        loaded_(columns_first_ ? batch_ : 0, src_pixels_ * job.channels),
        held_((lines_ ? lines_->stride : 0) + batch_, row_samples_),
        shrunk_(lines_ ? batch_ : 0, row_samples_),
        widened_(columns_last_ ? batch_ : 0, job.region.width * job.channels),
        next_(lines_ ? lines_->begin() : job.region.y),
        end_(lines_ ? lines_->end() : job.region.y + job.region.height),
        taps_rows_(static_cast<size_t>(lines_ ? lines_->stride : 0)) {}

  void run() {
    const int64_t at_once = columns_last_ ? batch_ : 1;
    for (int64_t y = 0; y < job_.region.height; y += at_once) {
      const int64_t count = std::min(at_once, job_.region.height - y);
      const Sample* rows[k_max_batch];
      for (int64_t i = 0; i < count; ++i) rows[i] = vertically(y + i);
      if (columns_last_) {
        Sample* dst[k_max_batch];
        for (int64_t i = 0; i < count; ++i) dst[i] = widened_[i];
        passes_.horizontal(*columns_, src_x_, rows, count, job_.channels, dst);
        std::copy_n(dst, count, rows);
      }
      for (int64_t i = 0; i < count; ++i) take_(y + i, rows[i]);
    }
  }

 private:
  std::optional<Taps> taps_if(int64_t src_size, int64_t dst_size, int64_t begin, int64_t count) const {
    if (src_size == dst_size) return std::nullopt;
    return Passes::k_taps(src_size, dst_size, begin, count, job_.filter);
  }

  // Row y of the region after the vertical pass; valid until batch_ more rows are asked for.
  const Sample* vertically(int64_t y) {
    if (!lines_) {
      make_until(job_.region.y + y + 1);
      return held_[job_.region.y + y];
    }
    const int64_t first = lines_->first[y];
    const int64_t number = lines_->number[y];
    make_until(first + number);
    for (int64_t t = 0; t < number; ++t) taps_rows_[t] = held_[first + t];
    Sample* dst = shrunk_[y];
    passes_.vertical(*lines_, y, taps_rows_.data(), row_samples_, dst);
    return dst;
  }

  // Loads rows, and runs the horizontal pass on them where it comes first, a batch at a time until all rows
  // before `row` are held. Rows that no output needs any more are overwritten: the ring holds the longest
  // filter and a batch.
  void make_until(int64_t row) {
    while (next_ < row) {
      const int64_t count = std::min(batch_, end_ - next_);
      const Sample* src[k_max_batch];
      Sample* dst[k_max_batch];
      for (int64_t i = 0; i < count; ++i) {
        dst[i] = held_[next_ + i];
        Sample* loaded = columns_first_ ? loaded_[i] : dst[i];
        load_(next_ + i, src_x_, src_pixels_, loaded);
        src[i] = loaded;
      }
      if (columns_first_) passes_.horizontal(*columns_, src_x_, src, count, job_.channels, dst);
      next_ += count;
    }
  }

  const Resampling& job_;
  const LoadRow<Sample>& load_;
  const TakeRow<Sample>& take_;
  Passes passes_;
  const std::optional<Taps> columns_;  // absent: the width does not change
  const std::optional<Taps> lines_;    // absent: the height does not change
  const bool columns_first_;
  const bool columns_last_;
  const int64_t src_x_;
  const int64_t src_pixels_;
  const int64_t batch_;
  const int64_t row_samples_;  // of a row in the vertical pass
  Rows<Sample> loaded_;
  Rows<Sample> held_;
  Rows<Sample> shrunk_;
  Rows<Sample> widened_;
  int64_t next_;  // first source row that is not held yet
  const int64_t end_;
  std::vector<const Sample*> taps_rows_;
};

void check_job(const Resampling& job) {
  check_size("source of a resize", job.src_width, job.src_height);
  check_size("target of a resize", job.dst_width, job.dst_height);
  const Rect& region = job.region;
  CRANE_CHECK_INVARIANT(region.x >= 0 && region.y >= 0 && region.width >= 1 && region.height >= 1 &&
                            region.width <= job.dst_width - region.x &&
                            region.height <= job.dst_height - region.y,
                        "a region outside the picture");
  CRANE_CHECK_INVARIANT(job.channels >= 1 && job.channels <= 4, "got ", job.channels, " channels");
}

}  // namespace

bool is_vertical_first(const Resampling& job) {
  const int64_t lost_rows = job.src_height - job.dst_height;
  const int64_t lost_columns = job.src_width - job.dst_width;
  return lost_rows > 0 && lost_rows > 2 * lost_columns;
}

void resample(const Resampling& job, const LoadRow<uint8_t>& load, const TakeRow<uint8_t>& take) {
  check_job(job);
  Stream<Passes8>(job, load, take).run();
}

void resample(const Resampling& job, const LoadRow<uint16_t>& load, const TakeRow<uint16_t>& take) {
  check_job(job);
  CRANE_CHECK_INVARIANT(job.channels == 1, "16-bit pictures have one channel, got ", job.channels);
  Stream<Passes16>(job, load, take).run();
}

}  // namespace crane::image
