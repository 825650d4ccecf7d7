#include "metrics/mapped_set.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>

#include "core/error.h"
#include "core/mapped_file.h"
#include "metrics/parallel.h"

namespace crane::metrics {
namespace {

static_assert(std::endian::native == std::endian::little, "maps are read as they lie in the file");

class OpenArray {
 public:
  OpenArray(const MappedArray& array, uint64_t values, uint64_t value_bytes)
      : file_(MappedFile::open(array.path)), offset_(array.offset) {
    check_input(array.offset % value_bytes == 0, "E_USAGE", array.path, ": offset ", array.offset,
                " is no multiple of ", value_bytes);
    check_input(array.offset <= file_->size() && values <= (file_->size() - array.offset) / value_bytes,
                "E_IO_READ", array.path, ": holds ", file_->size(), " bytes, ", values, " values of ",
                value_bytes, " bytes from byte ", array.offset, " were expected");
  }

  // Reads the pages of [begin, begin + bytes) in one go: a fault for each costs more than the work on it.
  const std::byte* fetch(uint64_t begin, uint64_t bytes) const {
    const std::byte* first = file_->data() + offset_ + begin;
#ifdef MADV_POPULATE_READ
    static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto address = reinterpret_cast<uintptr_t>(first);
    const uintptr_t page_begin = address & ~(page - 1);
    // Only a hint: an older kernel refuses it, and the pages come one by one.
    (void)madvise(reinterpret_cast<void*>(page_begin), address + bytes - page_begin, MADV_POPULATE_READ);
#endif
    return first;
  }

 private:
  std::shared_ptr<const MappedFile> file_;
  uint64_t offset_;
};

}  // namespace

void add_mapped_set(const MappedSet& set, ClassEvaluator& evaluator, int threads) {
  constexpr int64_t k_most_side = 1 << 24;
  constexpr int64_t k_most_pictures = int64_t{1} << 32;
  check_input(set.count > 0 && set.count < k_most_pictures && set.height > 0 && set.height < k_most_side &&
                  set.width > 0 && set.width < k_most_side && set.height * set.width < (int64_t{1} << 31),
              "E_IMAGE_SHAPE", set.maps.path, ": ", set.count, " x ", set.height, " x ", set.width,
              " is no shape of maps");
  const auto count = static_cast<uint64_t>(set.count);
  const auto pixels = static_cast<uint64_t>(set.height * set.width);
  check_input(set.scores.empty() || set.scores.size() == count, "E_USAGE", set.maps.path, ": ", count,
              " maps, but ", set.scores.size(), " scores");
  check_input(set.labels.empty() || set.labels.size() == count, "E_USAGE", set.maps.path, ": ", count,
              " maps, but ", set.labels.size(), " labels");
  const OpenArray maps(set.maps, count * pixels, sizeof(float));
  std::optional<OpenArray> masks;
  if (set.masks) masks.emplace(*set.masks, count * pixels, 1);
  const auto add = [&](size_t i, int) {
    MeasuredPicture picture;
    picture.name = join_text(set.maps.path, "[", i, "]");
    picture.width = set.width;
    picture.height = set.height;
    if (!set.scores.empty()) picture.score = set.scores[i];
    if (!set.labels.empty()) picture.is_anomalous = set.labels[i] != 0;
    const uint64_t map_bytes = pixels * sizeof(float);
    picture.map = reinterpret_cast<const float*>(maps.fetch(i * map_bytes, map_bytes));
    if (masks) picture.mask = reinterpret_cast<const uint8_t*>(masks->fetch(i * pixels, pixels));
    evaluator.add(picture);
  };
  try {
    parallel_for(count, threads, add);
  } catch (...) {
    evaluator.refuse(std::current_exception());  // some pictures are in, and which ones is chance
    throw;
  }
}

}  // namespace crane::metrics
