#include "weights/structure.h"

#include <cmath>
#include <string>

#include "core/error.h"
#include "weights/checker.h"
#include "weights/checkpoint.h"

namespace crane::weights {

namespace {

constexpr int64_t k_head_width = 64;  // CLIP and DINOv2 alike; no file says it

struct Tower {
  int64_t layers = 0;
  int64_t mlp_width = 0;
  bool has_layer_scale = false;
};

int64_t heads_of(int64_t width, const Checker& checker, const CanonicalTensor& anchor) {
  if (width <= 0 || width % k_head_width != 0) {
    checker.fail(anchor, shape_text(anchor.shape), join_text("a width that is a multiple of ", k_head_width));
  }
  return width / k_head_width;
}

// The patch convolution gives width and patch side, which everything else is compared with.
const CanonicalTensor& check_patch(Checker& checker) {
  const CanonicalTensor& patch = checker.floating("visual.patch.weight");
  if (patch.shape.size() != 4 || patch.shape[1] != 3 || patch.shape[2] != patch.shape[3] ||
      patch.shape[2] < 1) {
    checker.fail(patch, shape_text(patch.shape), "[w, 3, p, p]");
  }
  return patch;
}

// The blocks of either tower (name_map.h); MLP width and LayerScale are those of block 0.
Tower check_blocks(const CanonicalWeights& weights, Checker& checker, const std::string& tower, int64_t width,
                   const std::string& because) {
  Tower found;
  const std::string blocks = tower + ".blocks.";
  found.layers = count_numbered(weights, blocks);
  weights.at(blocks + "0.ln1.weight");  // without any block this is the tensor to name
  const CanonicalTensor& first_fc1 = weights.at(blocks + "0.fc1.weight");
  if (first_fc1.shape.size() != 2 || first_fc1.shape[0] < 1) {
    checker.fail(first_fc1, shape_text(first_fc1.shape), join_text("[h, ", width, "]"), because);
  }
  found.mlp_width = first_fc1.shape[0];
  found.has_layer_scale = checker.has(blocks + "0.ls1");
  const int64_t h = found.mlp_width;
  const std::string mlp_because = because + " and " + as_in(first_fc1);
  for (int64_t n = 0; n < found.layers; ++n) {
    const std::string block = join_text(blocks, n, ".");
    checker.floating(block + "ln1.weight", {width}, because);
    checker.floating(block + "ln1.bias", {width}, because);
    checker.floating(block + "qkv.weight", {3 * width, width}, because);
    checker.floating(block + "qkv.bias", {3 * width}, because);
    checker.floating(block + "out.weight", {width, width}, because);
    checker.floating(block + "out.bias", {width}, because);
    checker.floating(block + "ln2.weight", {width}, because);
    checker.floating(block + "ln2.bias", {width}, because);
    checker.floating(block + "fc1.weight", {h, width}, mlp_because);
    checker.floating(block + "fc1.bias", {h}, mlp_because);
    checker.floating(block + "fc2.weight", {width, h}, mlp_because);
    checker.floating(block + "fc2.bias", {width}, because);
    // LayerScale in some blocks only would be a damaged file: then at() names the missing one.
    if (found.has_layer_scale || checker.has(block + "ls1") || checker.has(block + "ls2")) {
      checker.floating(block + "ls1", {width}, because);
      checker.floating(block + "ls2", {width}, because);
      if (!found.has_layer_scale) weights.at(blocks + "0.ls1");
    }
  }
  return found;
}

// [w, D]; without it the joint width is the width.
int64_t check_projection(Checker& checker, const std::string& name, int64_t width,
                         const std::string& because) {
  if (!checker.has(name)) return width;
  const CanonicalTensor& proj = checker.floating(name);
  if (proj.shape.size() != 2 || proj.shape[1] < 1)
    checker.fail(proj, shape_text(proj.shape), "two axes", because);
  checker.expect(proj, {width, proj.shape[1]}, because);
  return proj.shape[1];
}

}  // namespace

VisionStructure check_vision(const CanonicalWeights& weights) {
  Checker checker(weights);
  VisionStructure vision;
  const CanonicalTensor& patch = check_patch(checker);
  vision.width = patch.shape[0];
  vision.patch = patch.shape[2];
  vision.heads = heads_of(vision.width, checker, patch);
  const std::string because = as_in(patch);
  const int64_t w = vision.width;

  vision.has_patch_bias = checker.has("visual.patch.bias");
  if (vision.has_patch_bias) checker.floating("visual.patch.bias", {w}, because);
  checker.floating("visual.cls", {w}, because);
  const CanonicalTensor& pos = checker.floating("visual.pos");
  const int64_t rows = pos.shape.empty() ? 0 : pos.shape[0];
  vision.grid_side =
      rows < 1 ? 0 : static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(rows - 1))));
  if (vision.grid_side < 1 || vision.grid_side * vision.grid_side != rows - 1) {
    checker.fail(pos, shape_text(pos.shape), join_text("[1 + g*g, ", w, "] (class token and a square grid)"));
  }
  checker.expect(pos, {rows, w}, because);
  if (checker.has("visual.registers")) {
    const CanonicalTensor& registers = checker.floating("visual.registers");
    vision.registers = registers.shape.empty() ? 0 : registers.shape[0];
    checker.expect(registers, {vision.registers, w}, because);
  }
  vision.has_ln_pre = checker.has("visual.ln_pre.weight") || checker.has("visual.ln_pre.bias");
  if (vision.has_ln_pre) {
    checker.floating("visual.ln_pre.weight", {w}, because);
    checker.floating("visual.ln_pre.bias", {w}, because);
  }
  const Tower tower = check_blocks(weights, checker, "visual", w, because);
  vision.layers = tower.layers;
  vision.mlp_width = tower.mlp_width;
  vision.has_layer_scale = tower.has_layer_scale;
  checker.floating("visual.ln_post.weight", {w}, because);
  checker.floating("visual.ln_post.bias", {w}, because);
  vision.has_proj = checker.has("visual.proj");
  vision.joint_width = check_projection(checker, "visual.proj", w, because);
  vision.parameters = checker.parameters();
  return vision;
}

SamStructure check_sam(const CanonicalWeights& weights) {
  Checker checker(weights);
  SamStructure sam;
  const CanonicalTensor& patch = check_patch(checker);
  sam.width = patch.shape[0];
  sam.patch = patch.shape[2];
  sam.heads = heads_of(sam.width, checker, patch);
  const std::string because = as_in(patch);
  const int64_t w = sam.width;
  checker.floating("visual.patch.bias", {w}, because);
  const CanonicalTensor& pos = checker.floating("visual.pos_grid");
  if (pos.shape.size() != 3 || pos.shape[0] < 1) checker.fail(pos, shape_text(pos.shape), "[g, g, w]");
  sam.grid_side = pos.shape[0];
  checker.expect(pos, {sam.grid_side, sam.grid_side, w}, because);
  const Tower tower = check_blocks(weights, checker, "visual", w, because);
  sam.layers = tower.layers;
  sam.mlp_width = tower.mlp_width;
  for (int64_t n = 0; n < sam.layers; ++n) {
    const std::string block = join_text("visual.blocks.", n, ".");
    const CanonicalTensor& rel = checker.floating(block + "rel_pos_h");
    const int64_t rows = rel.shape.empty() ? 0 : rel.shape[0];
    if (rows % 2 != 1 || rows > 2 * sam.grid_side - 1) {
      checker.fail(rel, shape_text(rel.shape),
                   join_text("[2s - 1, ", k_head_width, "] with s up to ", sam.grid_side));
    }
    checker.expect(rel, {rows, k_head_width}, because);
    checker.floating(block + "rel_pos_w", {rows, k_head_width}, as_in(rel));
    sam.windows.push_back((rows + 1) / 2);
  }
  const CanonicalTensor& reduce = checker.floating("visual.neck.reduce");
  if (reduce.shape.size() != 4 || reduce.shape[0] < 1) {
    checker.fail(reduce, shape_text(reduce.shape), join_text("[c, ", w, ", 1, 1]"), because);
  }
  const int64_t c = sam.out_channels = reduce.shape[0];
  checker.expect(reduce, {c, w, 1, 1}, because);
  checker.floating("visual.neck.ln1.weight", {c}, as_in(reduce));
  checker.floating("visual.neck.ln1.bias", {c}, as_in(reduce));
  checker.floating("visual.neck.mix", {c, c, 3, 3}, as_in(reduce));
  checker.floating("visual.neck.ln2.weight", {c}, as_in(reduce));
  checker.floating("visual.neck.ln2.bias", {c}, as_in(reduce));
  sam.parameters = checker.parameters();
  return sam;
}

TextStructure check_text(const CanonicalWeights& weights) {
  Checker checker(weights);
  TextStructure text;
  const CanonicalTensor& tokens = checker.floating("text.tokens");
  if (tokens.shape.size() != 2 || tokens.shape[0] < 1)
    checker.fail(tokens, shape_text(tokens.shape), "[V, w]");
  text.token_rows = tokens.shape[0];
  text.width = tokens.shape[1];
  text.heads = heads_of(text.width, checker, tokens);
  const std::string because = as_in(tokens);
  const int64_t w = text.width;

  text.has_token_ids = checker.has("text.token_ids");
  if (text.has_token_ids) checker.expect(checker.integer("text.token_ids"), {text.token_rows}, because);
  const CanonicalTensor& pos = checker.floating("text.pos");
  if (pos.shape.size() != 2 || pos.shape[0] < 1)
    checker.fail(pos, shape_text(pos.shape), join_text("[n, ", w, "]"));
  text.context = pos.shape[0];
  checker.expect(pos, {text.context, w}, because);
  const Tower tower = check_blocks(weights, checker, "text", w, because);
  text.layers = tower.layers;
  text.mlp_width = tower.mlp_width;
  text.has_layer_scale = tower.has_layer_scale;
  checker.floating("text.ln_final.weight", {w}, because);
  checker.floating("text.ln_final.bias", {w}, because);
  text.has_proj = checker.has("text.proj");
  text.joint_width = check_projection(checker, "text.proj", w, because);
  text.parameters = checker.parameters();
  return text;
}

bool holds_sam(const CanonicalWeights& weights) {
  return has_any(weights, "visual.pos_grid") || has_any(weights, "visual.neck.");
}

Structure check_structure(const CanonicalWeights& weights) {
  Structure structure;
  if (holds_sam(weights)) {
    structure.sam = check_sam(weights);
  } else if (has_any(weights, "visual.")) {
    structure.vision = check_vision(weights);
  }
  if (has_any(weights, "text.")) structure.text = check_text(weights);
  bool is_checkpoint = false;
  for (const CheckpointKind& kind : checkpoint_kinds()) {
    if (!kind.is_there(weights)) continue;
    kind.check(weights, structure);
    is_checkpoint = true;
  }
  if (!structure.vision && !structure.sam && !structure.text && !is_checkpoint)
    weights.at("visual.patch.weight");
  if (structure.vision && structure.text && structure.vision->joint_width != structure.text->joint_width) {
    const CanonicalTensor& tensor = weights.at(structure.text->has_proj ? "text.proj" : "text.tokens");
    throw Error("E_WEIGHTS_SHAPE",
                join_text(tensor.where(), " gives a joint width of ", structure.text->joint_width,
                          ", expected ", structure.vision->joint_width, " as the vision tower"));
  }
  return structure;
}

}  // namespace crane::weights
