// One naming for all weights. Whatever a code base calls its tensors, the engine asks for these ("#" = block
// number from 0; w width, D joint width, g grid side, p patch side, r registers, V vocabulary, h MLP width, n
// rows of positions, m prompt rows; "?": may be absent).
//
// clang-format off
//   visual.patch.weight [w, 3, p, p]      visual.patch.bias [w]?
//   visual.cls [w]                        visual.pos [1 + g*g, w]        visual.registers [r, w]?
//   visual.ln_pre.weight, .bias [w]?
//   visual.blocks.#.
//     ln1.weight, .bias [w]     qkv.weight [3w, w], .bias [3w]     out.weight [w, w], .bias [w]     ls1 [w]?
//     ln2.weight, .bias [w]     fc1.weight [h, w], .bias [h]       fc2.weight [w, h], .bias [w]     ls2 [w]?
//   visual.ln_post.weight, .bias [w]      visual.proj [w, D]?
//
//   SAM's image encoder, instead of cls, pos and ln_post (c output channels; s side of a block's attention window):
//   visual.pos_grid [g, g, w]
//   visual.blocks.#.rel_pos_h, rel_pos_w [2s - 1, 64]
//   visual.neck.reduce [c, w, 1, 1]       visual.neck.ln1.weight, .bias [c]
//   visual.neck.mix [c, c, 3, 3]          visual.neck.ln2.weight, .bias [c]
//
//   text.tokens [V, w]                    text.token_ids [V] i32?        (the vocabulary id of each row, when only
//                                                                         some are stored)
//   text.pos [n, w]                       text.blocks.#. as above
//   text.ln_final.weight, .bias [w]       text.proj [w, D]?
//
//   ctx_pos, ctx_neg [1, 1, n, w]         compound_prompts_text.# [m, w]
//   token_prefix_*, token_suffix_*, tokenized_prompts_* with * = pos, neg?
// clang-format on
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weights/family.h"
#include "weights/tensor_view.h"

namespace crane::weights {

struct CanonicalTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<const TensorView*>
      parts;                // concatenated along axis 0; one, unless the file keeps q, k, v apart
  bool transposed = false;  // the one part lies as [shape[1], shape[0]]
  const WeightFile* file = nullptr;

  int64_t numel() const;
  // The file's own name; several parts joined with " + ".
  std::string stored_name() const;
  // What its values are read from: equal for two of the same bytes of the same file that lie in the same way;
  // empty where the file lies nowhere (WeightFile::identity).
  std::string identity() const;
  // `path: tensor "stored name"`, the beginning of every message about it.
  std::string where() const;
};

// A file together with the naming it follows.
struct NamedFile {
  std::shared_ptr<const WeightFile> file;
  const Family* family;
  std::string prefix;
};

struct CanonicalWeights {
  std::string family;  // of the files, in order and without repetition, joined with "+"
  std::map<std::string, CanonicalTensor> tensors;
  std::vector<std::shared_ptr<const WeightFile>> files;
  std::vector<NamedFile> named_files;

  // E_WEIGHTS_MISSING says what the tensor would be called in the file that should have it.
  const CanonicalTensor& at(const std::string& name) const;
  const CanonicalTensor* find(const std::string& name) const;  // nullptr when absent
  // `path: tensor "name as that file would spell it"`
  std::string where_expected(const std::string& name) const;
};

// The naming family of a file; "" when none fits.
std::string naming_of(const WeightFile& file);

// Files may complete each other (one with the vision tower, one with the text tower).
// Errors: E_WEIGHTS_NAMING when no family fits a file; E_WEIGHTS_EXTRA for a tensor that the file's family
// does not know, or one that is there twice; E_WEIGHTS_MISSING for a part (q, k or v) without its companions;
// E_WEIGHTS_SHAPE when parts do not fit together.
CanonicalWeights canonicalise(std::vector<std::shared_ptr<const WeightFile>> files);

// dst: numel values in canonical row-major order. E_WEIGHTS_DTYPE, E_WEIGHTS_NONFINITE.
void read_f32(const CanonicalTensor& src, float* dst);
void read_i32(const CanonicalTensor& src, int32_t* dst);
// The same for rows [first, first + count) of a tensor of two axes, [count, shape[1]].
void read_f32_rows(const CanonicalTensor& src, int64_t first, int64_t count, float* dst);

}  // namespace crane::weights
