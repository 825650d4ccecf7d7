#include "weights/checkpoint.h"
#include "weights/family.h"

namespace crane::weights {

// A new family of towers is one file beside this one and one entry here; those of methods' checkpoints come
// first.
std::vector<const Family*> families() {
  std::vector<const Family*> all;
  for (const CheckpointKind& kind : checkpoint_kinds()) all.push_back(kind.family);
  for (const Family* family : {&k_canonical_family, &k_openai_clip_family, &k_open_clip_family,
                               &k_hf_clip_family, &k_dinov2_family, &k_hf_dinov2_family, &k_sam_family}) {
    all.push_back(family);
  }
  return all;
}

}  // namespace crane::weights
