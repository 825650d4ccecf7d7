// A naming family: how one code base names the tensors that name_map.h calls canonically. A family is a
// table; the same rows lead from the file's name to ours and, for error messages, back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace crane::weights {

// '#' in a name stands for a block number, counted from 0.
struct NameRow {
  std::string_view canonical;
  std::string_view stored;
  // Several stored tensors, joined along axis 0 in this order, make one canonical tensor (q, k, v apart).
  int part = 0;
  int parts = 1;
  // Leading axes of size 1 are dropped until this many axes are left; 0 keeps the shape.
  int rank = 0;
  // Stored [out, in] where the canonical tensor is [in, out].
  bool transposed = false;
};

struct Family {
  std::string_view name;
  // What may stand before every name of a file; the empty prefix is listed too where it is usual.
  std::span<const std::string_view> prefixes;
  std::span<const NameRow> rows;
  // Known and not needed: logit_scale, mask_token, ... '#' as above; a name that ends in '*' stands for all
  // that begin so.
  std::span<const std::string_view> ignored;
};

// In order of preference where two fit a file equally well.
std::vector<const Family*> families();

extern const Family k_canonical_family;
extern const Family k_openai_clip_family;
extern const Family k_open_clip_family;
extern const Family k_hf_clip_family;
extern const Family k_dinov2_family;
extern const Family k_hf_dinov2_family;
extern const Family k_sam_family;

}  // namespace crane::weights
