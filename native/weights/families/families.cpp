#include <array>

#include "weights/family.h"

namespace crane::weights {

// A new family is one file beside this one and one entry here.
std::span<const Family* const> families() {
  static constexpr std::array<const Family*, 8> k_families = {
      &k_prompts_family, &k_canonical_family, &k_openai_clip_family, &k_open_clip_family,
      &k_hf_clip_family, &k_dinov2_family,    &k_hf_dinov2_family,   &k_sam_family,
  };
  return k_families;
}

}  // namespace crane::weights
