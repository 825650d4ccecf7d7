#include "fuzz/target.h"
#include "weights/name_map.h"
#include "weights/structure.h"

namespace crane::fire {

void read_whole(const std::shared_ptr<const weights::WeightFile>& file) {
  uint64_t sum = 0;
  for (const weights::TensorView& view : file->tensors()) {
    const size_t size = view.bytes() + (is_planted("overread") ? 1 : 0);
    for (size_t i = 0; i < size; ++i) sum += static_cast<uint64_t>(view.data[i]);
    sum += view.name.size();
  }
  volatile uint64_t sink = sum;
  static_cast<void>(sink);
  file->verify_checksums();
  weights::check_structure(weights::canonicalise({file}));
}

}  // namespace crane::fire
